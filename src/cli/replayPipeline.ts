import { probes as allProbes } from '../catalogue/probes.ts';
import { objectiveOf } from '../recording/objectiveOf.ts';
import { openRecording } from '../recording/openRecording.ts';
import { replay } from '../recording/replay.ts';
import { asWritten } from '../runs/asWritten.ts';
import { parseNamed } from '../runs/parseNamed.ts';
import { checkProbes, probeBranches } from '../runs/probeBranches.ts';
import { requireNoRun } from '../runs/requireNoRun.ts';
import { type RunSummary, run } from '../runs/run.ts';
import type { ReplayFlags } from './replayCommand.ts';

const WHO = 'replay';

/**
 * Measures on a recording: each probe in a branch of its own, with a Parquet table.
 *
 * @throws CommandLineError where a flag is wrong, BrinkError where the recording can't be read, its objective can't be rebuilt, or the
 *   folder holds a run that is not to be replaced.
 */
export async function replayPipeline(
  path: string,
  { probe = ['topEigenvalues'], every, from, to, data, out, force = false }: ReplayFlags,
): Promise<RunSummary> {
  const probes = probe.map((text) => parseNamed(WHO, 'probe', text, allProbes));
  checkProbes(WHO, probes, every);
  const directory = requireNoRun(WHO, out, force);
  const objective = await objectiveOf(path, data === undefined ? {} : { data });
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const { tornBytes, close } = openRecording(WHO, path);
  close();
  if (tornBytes > 0) {
    console.error(`${path} was cut off: the ${tornBytes} bytes of its last step are left out.`);
  }
  const steps = asWritten(() => replay(path, { ...range, objective }));
  const branches = asWritten(() => probeBranches(probes, every));
  return run(steps, branches, { directory, overwrite: force, signals: 'stop', metadata: { recording: path } });
}
