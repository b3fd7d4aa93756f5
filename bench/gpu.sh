#!/usr/bin/env bash
# Everything that only a machine with a GPU can tell, as a report to paste.
#
#   bench/gpu.sh            the engine tensorflow on CUDA
#   bench/gpu.sh webgpu     the engine webgpu on the GPU's own driver, of any make
#
# On CUDA it needs Linux on x86-64, NVIDIA's driver (525 or newer for CUDA 12), Python 3 with pip and venv, g++, and some
# 12 GB of disk: 3 for CUDA's libraries in the user's cache, the rest for PyTorch in bench/.venv. WebGPU is compared with
# PyTorch where there is a driver of NVIDIA, and needs Node.js alone elsewhere. Takes about half an hour.
# shellcheck disable=SC2317 # `part` calls the functions by their names.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
engine=${1:-tensorflow}
case $engine in
  tensorflow | webgpu) ;;
  *)
    echo "bench/gpu.sh: the engine is '$engine'. It must be tensorflow or webgpu." >&2
    exit 2
    ;;
esac
report=$(mktemp)
failed=()

say() { echo "$*" | tee -a "$report"; }

# Runs a part of the report; where it fails the rest goes on, unless the caller stops.
part() {
  local title=$1 status=0
  shift
  printf '\n## %s\n\n' "$title" | tee -a "$report"
  "$@" 2>&1 | tee -a "$report" || status=$?
  [ "$status" = 0 ] && return
  failed+=("$title")
  say "FAILED with $status"
  return "$status"
}

# Ends the report; with a reason where what would follow was not run.
finish() {
  say
  [ $# = 0 ] || say "The rest was not run: $*."
  local names
  names=$(printf ', %s' ${failed[@]+"${failed[@]}"})
  if [ "${#failed[@]}" = 0 ]; then say 'all parts passed'; else say "${#failed[@]} failed: ${names#, }"; fi
  echo "The report is in $report; please paste it into an issue."
  [ "${#failed[@]}" = 0 ]
  exit
}

has() { command -v "$1" > /dev/null; }

brink() { npx node src/cli/brink.ts "$@"; }

# What computes here; on CUDA a machine without NVIDIA's driver is a failure.
machine() {
  uname -srm
  git log -1 --format='brink %h' || echo 'This is no clone: which brink it is git does not know.'
  if has nvidia-smi; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv
  else
    echo "nvidia-smi is missing: there is no driver of NVIDIA."
    [ "$engine" = webgpu ]
  fi
}

# What `brink engine` says of all engines; that this one computes on the CPU, or not at all, is a failure.
on_gpu() {
  local engines
  engines=$(brink engine)
  echo "$engines"
  grep -q "^$engine  *usable: GPU" <<< "$engines" && return
  echo "The engine $engine does not compute on a GPU here."
  return 1
}

# The engine's own tests, WebGPU's on the GPU's driver and not on one that computes on the CPU.
tests() { BRINK_SOFTWARE_GPU=off npx vitest run --project "$engine"; }

# One seed twice: the tables must hold the same bytes.
same_run() {
  local first status=0
  first=$(mktemp -d)
  if quickstart && cp output/quickstart/*.parquet "$first/" && quickstart; then
    for table in "$first"/*.parquet; do cmp "$table" "output/quickstart/${table##*/}" || status=1; done
    if [ "$status" = 0 ]; then echo 'tables of two runs: the same bytes'; else echo 'tables of two runs: NOT THE SAME BYTES'; fi
  else
    status=1
    echo 'The quickstart did not come to its end.'
  fi
  rm -r "$first"
  return "$status"
}

quickstart() { BRINK_ENGINE=$engine npx node pipelines/quickstart.ts; }

verify() { BRINK_ENGINE=$engine brink verify; }

products() {
  if has nvidia-smi; then
    BRINK_ENGINE=$engine npx node bench/gpuProducts.ts
  else
    BRINK_ENGINE=$engine npx node bench/gpuProducts.ts --without-peers
  fi
}

part 'Machine' machine || finish 'CUDA needs the driver'
# The build for the CPU is left out: one process loads one TensorFlow, and it is CUDA's that is asked about.
part 'Packages' env BRINK_SKIP_NATIVE=1 npm ci || finish 'without its packages brink does not run'
if [ "$engine" = tensorflow ]; then
  part 'Installing CUDA' brink engine install --cuda || finish 'there is no build with CUDA'
fi
part 'Engines' on_gpu || finish 'it would say nothing of the GPU'
part 'Reference values' verify
part 'Tests of the engine' tests
part 'Quickstart, twice' same_run
part 'Products against PyTorch and JAX' products
finish
