import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { BrinkError } from '../core/errors.ts';
import type { Figure } from './figure.ts';

/** The figure that a file exports as its default. @throws BrinkError as a rejection where it exports none. */
export async function importFigure(path: string): Promise<Figure> {
  const who = 'figure';
  if (!existsSync(path)) throw new BrinkError(who, `there is no file ${path}. Name that of a figure.`);
  const { default: declared } = (await import(pathToFileURL(path).href)) as { default?: Partial<Figure> };
  if (typeof declared?.claims === 'function' && typeof declared.plot === 'function') return declared as Figure;
  throw new BrinkError(who, `${path} exports no figure. It must say \`export default figure({ … })\`.`);
}
