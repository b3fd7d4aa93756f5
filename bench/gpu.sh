#!/usr/bin/env bash
# Everything that only a machine with a GPU of NVIDIA can tell, as a report to paste.
#
#   bench/gpu.sh            the engine tensorflow on CUDA
#   bench/gpu.sh webgpu     the engine webgpu on the GPU's own driver
#
# Needs Linux on x86-64, NVIDIA's driver (525 or newer for CUDA 12), Python 3 with pip and venv, g++, and some 12 GB of
# disk: 3 for CUDA's libraries in the user's cache, the rest for PyTorch in bench/.venv. Takes about half an hour.
set -uo pipefail
cd "$(dirname "$0")/.."
engine=tensorflow
[ "${1:-}" = webgpu ] && engine=webgpu
report=$(mktemp)
failed=()

# Runs a part of the report; the rest goes on where it fails.
part() {
  local title=$1
  shift
  printf '\n## %s\n\n' "$title" | tee -a "$report"
  local status=0
  "$@" 2>&1 | tee -a "$report" || status=$?
  if [ "$status" != 0 ]; then
    failed+=("$title")
    printf '\nFAILED with %s\n' "$status" | tee -a "$report"
  fi
}

# What `brink engine` says of the engine; an engine that computes on the CPU is a failure.
on_gpu() {
  npx node src/cli/brink.ts engine
  npx node src/cli/brink.ts engine --json | python3 -c '
import json, sys
one = [e for e in json.load(sys.stdin) if e["name"] == sys.argv[1]][0]
sys.exit(0 if one["usable"] and one["device"].startswith("GPU") else sys.argv[1] + " does not compute on the GPU")
' "$engine"
}

# One seed twice: the tables must hold the same numbers.
same_run() {
  local first second folder
  folder=$(mktemp -d)
  BRINK_ENGINE=$engine npx node pipelines/quickstart.ts && cp output/quickstart/*.parquet "$folder/" &&
    BRINK_ENGINE=$engine npx node pipelines/quickstart.ts || return 1
  first=$(cd "$folder" && sha256sum -- *.parquet)
  second=$(cd output/quickstart && sha256sum -- *.parquet)
  rm -r "$folder"
  [ "$first" = "$second" ] && echo 'tables of two runs: the same bytes' && return
  echo 'tables of two runs: NOT THE SAME BYTES'
  return 1
}

part 'Machine' sh -c 'uname -srm; nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv; git log -1 --format=%h'
part 'Packages' npm ci
[ "$engine" = tensorflow ] && part 'Installing CUDA' npx node src/cli/brink.ts engine install --cuda
part 'Engines' on_gpu
part 'Reference values' env BRINK_ENGINE="$engine" npx node src/cli/brink.ts verify
part 'Tests of the engine' npx vitest run --project "$engine"
part 'Quickstart, twice' same_run
part 'Products against PyTorch' env BRINK_ENGINE="$engine" npx node bench/gpuProducts.ts

printf '\n%s\n' "${#failed[@]} parts failed: ${failed[*]:-none}" | tee -a "$report"
echo "The report is in $report; please paste it into an issue."
[ "${#failed[@]}" = 0 ]
