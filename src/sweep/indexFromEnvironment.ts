import { BrinkError } from '../core/errors.ts';

/** Where schedulers say which task of an array a process is, and the number of the first one. */
const INDICES: readonly (readonly [variable: string, first: number, of: string])[] = [
  ['SLURM_ARRAY_TASK_ID', 0, 'Slurm'],
  ['JOB_COMPLETION_INDEX', 0, 'Kubernetes'],
  ['PBS_ARRAY_INDEX', 0, 'PBS'],
  ['PBS_ARRAYID', 0, 'TORQUE'],
  ['SGE_TASK_ID', 1, 'SGE'],
  ['LSB_JOBINDEX', 1, 'LSF'],
  ['AWS_BATCH_JOB_ARRAY_INDEX', 0, 'AWS Batch'],
  ['CLOUD_RUN_TASK_INDEX', 0, 'Cloud Run'],
];

/** A cell's index, and who gave it. */
export interface GivenIndex {
  readonly index: number;
  readonly from: string;
}

/**
 * The cell that a scheduler's array job has given to this process.
 *
 * @throws BrinkError where none says so, two do, or what it says is no index.
 */
export function indexFromEnvironment(environment: NodeJS.ProcessEnv = process.env): GivenIndex {
  // Outside an array SGE says "undefined", and LSF 0.
  const given = INDICES.filter(([variable, first]) => {
    const value = environment[variable];
    return value !== undefined && value !== '' && value !== 'undefined' && !(first === 1 && value === '0');
  });
  const [only, other] = given;
  if (only === undefined) {
    const all = INDICES.map(([variable, , of]) => `${variable} (${of})`).join(', ');
    throw new BrinkError('sweep', `--index auto finds no array job. It looks for ${all}. Give the index itself.`);
  }
  if (other !== undefined) {
    throw new BrinkError(
      'sweep',
      `--index auto finds ${given.map(([variable]) => `${variable}=${environment[variable]}`).join(' and ')}, which may name two cells. Unset one, or give the index itself.`,
    );
  }
  const [variable, first, of] = only;
  const index = Number(environment[variable]) - first;
  if (Number.isInteger(index) && index >= 0) return { index, from: `${variable} (${of})` };
  throw new BrinkError('sweep', `${variable} is '${environment[variable]}', which is no index of an array job.`);
}
