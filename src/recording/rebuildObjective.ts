import { z } from 'zod';
import { losses } from '../catalogue/losses.ts';
import { models } from '../catalogue/models.ts';
import { recordedData } from '../catalogue/recordedData.ts';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/Json.ts';
import type { Objective } from '../core/Objective.ts';
import type { Loss } from '../engine/Loss.ts';
import type { Model } from '../engine/Model.ts';
import { empiricalRisk } from '../engine/risk/empiricalRisk.ts';
import { leastSquares } from '../objectives/leastSquares.ts';
import { quadratic } from '../objectives/quadratic.ts';

/** What a recording does not hold itself. */
export interface ObjectiveOfOptions {
  /**
   * The data set, or the folder of its files, or one's own file; default: one that comes with brink (`digits`,
   * `chebyshev`) is loaded.
   */
  readonly data?: Dataset | string;
  /** A model that was brought along; default: one of brink's own, by its name. */
  readonly model?: Model;
  /** A loss that was brought along; default: one of brink's own, by its name. */
  readonly loss?: Loss;
}

const WHO = 'objectiveOf';

const matrix = z.array(z.array(z.number()));
const vector = z.array(z.number());
const objectives = z.discriminatedUnion('objective', [
  z.object({ objective: z.literal('quadratic'), A: matrix, b: vector, c: z.number() }),
  z.object({ objective: z.literal('leastSquares'), X: matrix, y: vector }),
  z.object({
    objective: z.literal('empiricalRisk'),
    model: z.looseObject({ name: z.string() }),
    loss: z.looseObject({ name: z.string() }),
    data: z.looseObject({ name: z.string() }),
    chunk: z.int(),
    engine: z.looseObject({ name: z.string(), graphs: z.boolean().optional() }).optional(),
  }),
]);

/**
 * The objective that a recording's header describes.
 *
 * @throws BrinkError where it names what brink does not know, and that was not handed in.
 */
export async function rebuildObjective(
  path: string,
  metadata: JsonObject | undefined,
  { data, model, loss }: ObjectiveOfOptions,
): Promise<Objective> {
  const { data: recorded, success } = objectives.safeParse(metadata);
  if (!success) {
    const what = metadata ? `an objective '${metadata.objective}'` : 'no objective';
    throw new BrinkError(
      WHO,
      `${path} names ${what}, which brink cannot build. Build it yourself, and hand it in: ` +
        'replay(path, { objective }).',
    );
  }
  if (recorded.objective === 'quadratic') return quadratic(recorded);
  if (recorded.objective === 'leastSquares') return leastSquares(recorded);
  return empiricalRisk({
    model: model ?? (await knownModel(path, recorded.model)),
    data: typeof data === 'object' ? data : await recordedData(WHO, path, recorded.data, data),
    loss: loss ?? (await known(path, 'loss', recorded.loss.name, losses)()),
    chunk: recorded.chunk,
    // As it was recorded, whatever is usual here: the bits depend on it.
    ...(recorded.engine?.name === 'tensorflow' && { graphs: recorded.engine.graphs ?? false }),
  });
}

/**
 * The model alone, of which the weights of a recording are.
 *
 * @throws BrinkError where the recording names none, or one that brink does not know.
 */
export async function modelOf(path: string, metadata: Json | undefined): Promise<Model> {
  const { data: recorded } = objectives.safeParse(metadata);
  if (recorded?.objective === 'empiricalRisk') return knownModel(path, recorded.model);
  throw new BrinkError(WHO, `${path} names no model, so what its weights are called is not known.`);
}

function knownModel(path: string, { name, ...config }: { readonly name: string }): Promise<Model> {
  return known(path, 'model', name, models).rebuild(config as JsonObject);
}

/** What has a name among brink's own. */
function known<T>(path: string, what: string, name: string, own: Readonly<Record<string, T>>): T {
  if (Object.hasOwn(own, name)) return own[name]!;
  throw new BrinkError(
    WHO,
    `${path} was recorded with the ${what} '${name}', which is none of brink's own ` +
      `(${Object.keys(own).join(', ')}). Hand it in: objectiveOf(path, { ${what} }).`,
  );
}
