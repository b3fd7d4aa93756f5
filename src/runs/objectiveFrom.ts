import { datasets } from '../catalogue/datasets.ts';
import { losses } from '../catalogue/losses.ts';
import { models } from '../catalogue/models.ts';
import type { Objective } from '../core/Objective.ts';
import { empiricalRisk } from '../engine/risk/empiricalRisk.ts';
import { asWritten } from './asWritten.ts';
import { type Named, optionsOf } from './parseNamed.ts';

/** What a command line or a file says of L, each with its options. */
export interface NamedObjective {
  readonly data: Named;
  /** Default: mlp, for images cnn. */
  readonly model?: Named;
  /** Default: crossEntropy, without classes meanSquaredError. */
  readonly loss?: string;
  readonly chunk?: number;
}

/**
 * L of what has names.
 *
 * @throws CommandLineError where an option is out of its range, BrinkError where data can't be read or the engine
 *   doesn't open.
 */
export async function objectiveFrom(who: string, named: NamedObjective): Promise<Objective> {
  const data = await datasets[named.data.name]!.open(optionsOf(who, 'data set', named.data, datasets));
  const chosen = named.model ?? { name: data.inputShape.length === 3 ? 'cnn' : 'mlp' };
  const modelOptions = optionsOf(who, 'model', chosen, models);
  const model = await asWritten(() => models[chosen.name]!.open(modelOptions, data));
  const loss = await losses[named.loss ?? (data.classes ? 'crossEntropy' : 'meanSquaredError')]!();
  return empiricalRisk({ model, data, loss, ...(named.chunk !== undefined && { chunk: named.chunk }) });
}
