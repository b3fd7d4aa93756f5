import { BrinkError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/Json.ts';
import { firstDifference, show } from './firstDifference.ts';
import type { RecordingHeader } from './RecordingHeader.ts';

/** What decides a run's next step, beside its state. */
const SETTINGS = ['learningRate', 'batchSize', 'replacement', 'shuffle', 'weightDecay', 'beta1', 'beta2', 'seed'];

/**
 * Throws unless a source goes on with the run that was recorded bit for bit: settings, seed, objective and engine are
 * the same.
 *
 * How many steps there are to be, what else ends the run, and the test set may differ.
 */
export function requireSameRun(who: string, path: string, header: RecordingHeader, source: JsonObject | null): void {
  const difference = firstDifference(header.source && essence(header.source), source && essence(source));
  if (!difference) return;
  const { where, left, right } = difference;
  throw new BrinkError(
    who,
    `${path} was recorded with ${where === '' ? 'the source' : where} ${show(left)}, and it is ${show(right)} ` +
      'now. That would be another run; take what was recorded, or begin a new one there (fork).',
  );
}

function essence({ objective, ...source }: JsonObject): JsonObject {
  const settings = SETTINGS.map((name): [string, Json] => [name, source[name] ?? null]);
  return { ...Object.fromEntries(settings), objective: withoutTestSet(objective ?? null) };
}

function withoutTestSet(objective: Json): Json {
  const { data, ...rest } = Object(objective) as { readonly data?: Json };
  const { train } = Object(data ?? null) as { readonly train?: Json };
  return { ...rest, data: train ?? data ?? null };
}
