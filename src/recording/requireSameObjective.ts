import { BrinkError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/Json.ts';
import type { Objective } from '../core/Objective.ts';
import { firstDifference, show } from './firstDifference.ts';
import type { OpenRecording } from './openRecording.ts';

/**
 * Throws unless an objective has the L that a recording was made of: model, training data by its checksums, loss, n, m,
 * with batch normalisation also the chunk.
 *
 * The engine, the chunk where it only rounds, and the test set may differ. What a model or loss brought along computes
 * is not seen: it is known by name and config.
 */
export function requireSameObjective(who: string, recording: OpenRecording, objective: Objective): void {
  const { path, header, shape } = recording;
  if (shape.paramCount !== objective.paramCount) {
    throw new BrinkError(
      who,
      `${path} holds weights of ${shape.paramCount} entries, and the objective has ${objective.paramCount} ` +
        'parameters. It was recorded of another model.',
    );
  }
  const recorded = header.source?.objective;
  if (!isObject(recorded)) return;
  const difference = firstDifference(
    identity(recorded, objective.coupled),
    identity(objective.metadata, objective.coupled),
  );
  if (!difference) return;
  const { where, left, right } = difference;
  throw new BrinkError(
    who,
    `${path} was recorded with ${where} ${show(left)}, and the objective has ${show(right)}. ` +
      'Its steps belong to another L; build the objective that it was recorded of.',
  );
}

/** What makes L, of all that an objective says of itself. */
function identity({ engine: _, chunk, data, ...rest }: JsonObject, coupled: boolean): JsonObject {
  return {
    ...rest,
    ...(isObject(data) && { data: isObject(data.train) ? { name: data.name ?? null, train: data.train } : data }),
    ...(coupled && chunk !== undefined && { chunk }),
  };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
