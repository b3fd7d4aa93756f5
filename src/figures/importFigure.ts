import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { BrinkError } from '../core/errors.ts';
import { definitionHash } from './definitionHash.ts';
import type { Figure } from './figure.ts';

/** What the files of each figure were when this process imported them: it keeps the functions of then. */
const imported = new Map<string, string>();

/**
 * The figure that a file exports as its default.
 *
 * @throws BrinkError as a rejection where it exports none, or was another when this process imported it.
 */
export async function importFigure(path: string): Promise<Figure> {
  const who = 'figure';
  if (!existsSync(path)) throw new BrinkError(who, `there is no file ${path}. Name that of a figure.`);
  const files = definitionHash(path, { preset: null, seeds: 1, dataSha256: null });
  if ((imported.get(path) ?? files) !== files) {
    throw new BrinkError(
      who,
      `${path}, or a file that it imports, has changed since this process imported it, which keeps what it was. Begin a new process.`,
    );
  }
  imported.set(path, files);
  const { default: declared } = (await import(pathToFileURL(path).href)) as { default?: Partial<Figure> };
  if (typeof declared?.claims === 'function' && typeof declared.plot === 'function') return declared as Figure;
  throw new BrinkError(who, `${path} exports no figure. It must say \`export default figure({ … })\`.`);
}
