import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BrinkError } from '../core/errors.ts';
import { isAlive } from '../files/isAlive.ts';

/** What run.json says, as far as it is read here. */
const record = z.looseObject({
  state: z.string(),
  metadata: z.looseObject({ brink: z.string().optional(), source: z.unknown() }),
  started: z.string(),
  finished: z.string().nullable(),
  process: z.object({ host: z.string(), pid: z.int() }).optional(),
  heartbeat: z.string().optional(),
  /** The newest step when the heart last beat. */
  step: z.int().nullish(),
  steps: z.number().optional(),
  seconds: z.number().optional(),
  branches: z
    .record(
      z.string(),
      z.object({
        rows: z.number(),
        seconds: z.number().optional(),
        cost: z.object({ forwards: z.number(), gradients: z.number(), products: z.number() }).optional(),
        error: z.string().nullable(),
      }),
    )
    .optional(),
  error: z.string().nullish(),
  files: z.array(z.string()).optional(),
});

export type RunFile = z.infer<typeof record>;

/** Reads a run.json. @throws BrinkError where it is none. */
export function readRunFile(who: string, path: string): RunFile {
  try {
    return record.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new BrinkError(who, `${path} is no record of a run. ${why}`, { cause });
  }
}

/** How a run stands: one that says that it is running is, as long as its process lives; else it was `cut off`. */
export function stateOf(directory: string, { state, process: writer, heartbeat }: RunFile): string {
  if (state !== 'running' || writer === undefined) return state;
  return isAlive(join(directory, 'log.jsonl'), writer, heartbeat ?? null) ? state : 'cut off';
}
