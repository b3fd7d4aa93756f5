import { BrinkError } from './errors.ts';
import { nearestName } from './nearestName.ts';
import { shown } from './shown.ts';

/** What other libraries call it, where letters alone would not tell. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  momentum: 'beta1',
  lr: 'learningRate',
  eta: 'learningRate',
  batch: 'batchSize',
  iterations: 'steps',
  epochs: 'steps',
  dir: 'directory',
  out: 'directory',
  k: 'count',
  top_n: 'count',
};

/**
 * Throws where options are no object, or have a name that there is not: plain JavaScript would pass it over in silence.
 *
 * @param also Names that are known too, and not advertised.
 */
export function requireNames(
  who: string,
  options: unknown,
  names: readonly string[],
  also: readonly string[] = [],
): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new BrinkError(who, `the options are ${shown(options)}. They are an object with ${names.join(', ')}.`);
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name) && !also.includes(name));
  if (unknown === undefined) return;
  const elsewhere = Object.hasOwn(ELSEWHERE, unknown) ? ELSEWHERE[unknown]! : undefined;
  const nearest = elsewhere && names.includes(elsewhere) ? elsewhere : nearestName(unknown, names);
  const all = names.length > 0 ? `There are ${names.join(', ')}.` : 'It takes none.';
  throw new BrinkError(who, `there is no option '${unknown}'. ${nearest ? `Did you mean ${nearest}? ` : ''}${all}`);
}
