import { BrinkError } from './errors.ts';
import { nearestName } from './nearestName.ts';

/**
 * Throws where an object of options has a name that there is not: plain JavaScript would pass it over in silence.
 *
 * @param also Names that are known too, and not advertised.
 */
export function requireNames(
  who: string,
  options: object,
  names: readonly string[],
  also: readonly string[] = [],
): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name) && !also.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, names);
  const all = names.length > 0 ? `There are ${names.join(', ')}.` : 'It takes none.';
  throw new BrinkError(who, `there is no option '${unknown}'. ${nearest ? `Did you mean ${nearest}? ` : ''}${all}`);
}
