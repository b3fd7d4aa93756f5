import { planSweep, type SweepPlan, type SweepRequest } from './planSweep.ts';
import { SweepFolder } from './SweepFolder.ts';

/**
 * Plans a sweep into a folder, where `runSweep` finds it. The same plan again changes nothing.
 *
 * @param directory The folder of the sweep, made where it is missing.
 * @throws CommandLineError for what `planSweep` refuses; BrinkError where the folder holds another plan.
 * @example
 * import { collectSweep, runSweep, writePlan } from 'brink';
 *
 * writePlan('output/sweep', {
 *   pipeline: { data: { name: 'digits', train: 64 }, steps: 10, learningRate: 0.1 },
 *   axes: { batchSize: [4, 16], seed: [0] },
 * });
 * const { done } = await runSweep('output/sweep', { progress: false });
 * const { path } = await collectSweep('output/sweep');
 * console.log(done, path.endsWith('sweep.parquet')); // 2 true
 * @see planSweep, runSweep, collectSweep, sweepStatus
 */
export function writePlan(directory: string, request: SweepRequest): SweepPlan {
  const plan = planSweep(request);
  new SweepFolder(directory).begin(plan);
  return plan;
}
