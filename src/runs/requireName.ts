import { nearestName } from '../core/nearestName.ts';
import { CommandLineError } from './CommandLineError.ts';

/** Throws unless `name` is one of `names`; the error tells the nearest. */
export function requireName(who: string, what: string, name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  const nearest = nearestName(name, names);
  const advice = nearest ? `Did you mean ${nearest}? ` : '';
  const all = `There are ${names.join(', ')}.`;
  throw new CommandLineError(who, `there is no ${what} '${name}'. ${advice}${all}`);
}
