import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isObservable, type Observable } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import { hashSources } from '../files/hashSources.ts';
import type { Branches } from '../runs/branches.ts';
import { CommandLineError } from '../runs/CommandLineError.ts';

const WHO = 'sweep';

/** The program of a plan. */
export interface SweepModule {
  readonly path: string;
  /** What it reads besides: data. */
  readonly files: readonly string[];
  /** SHA-256 of it, of what it imports and of these files, as they were planned. */
  readonly definition: string;
}

/** What a cell runs, as a module's function makes it of the cell's parameters. */
export interface CellRun {
  /**
   * With a checkpoint: those of `gradientDescent` as they are, as what an operator does to them is not gone on with.
   */
  readonly steps: Observable<Step>;
  /** What is measured. Each branch ends in `toParquet()`. */
  readonly branches: Branches;
}

/** @throws CommandLineError where there is no such file. */
export function plannedModule(file: string, reads: readonly string[]): SweepModule {
  const [path, ...files] = [file, ...reads].map((name) => resolve(name)) as [string, ...string[]];
  const missing = [path, ...files].find((name) => !existsSync(name));
  if (missing === undefined) return { path, files, definition: definitionOf(path, files) };
  const what = missing === path ? 'Name that of the module' : 'files names what the module reads';
  throw new CommandLineError(WHO, `there is no file ${missing}. ${what}.`);
}

/** @throws BrinkError where the module or a file that it reads is gone, or another than the plan's. */
export function requireUnchanged({ path, files, definition }: SweepModule): void {
  for (const file of [path, ...files]) {
    if (existsSync(file)) continue;
    const what = file === path ? 'the module' : 'the file';
    throw new BrinkError(WHO, `${what} ${file} of the plan is gone. Bring it back, or plan in another folder.`);
  }
  if (definitionOf(path, files) === definition) return;
  throw new BrinkError(
    WHO,
    `${[path, ...files].join(', ')}, or a file that it imports, has changed since the sweep was planned: its cells would not be one experiment. Bring back what it was, or plan in another folder.`,
  );
}

/** What a cell runs. @throws BrinkError as a rejection where the module gives no run; and whatever it throws. */
export async function cellRunOf(module: SweepModule, parameters: JsonObject): Promise<CellRun> {
  requireUnchanged(module);
  const { default: make } = (await import(pathToFileURL(module.path).href)) as { readonly default?: unknown };
  if (typeof make !== 'function') {
    throw new BrinkError(WHO, `${module.path} exports no function. It must say \`export default (parameters) => …\`.`);
  }
  const made = (await make(structuredClone(parameters))) as Partial<CellRun> | undefined;
  if (isObservable(made?.steps) && typeof made.branches === 'object') return made as CellRun;
  throw new BrinkError(WHO, `the function of ${module.path} returned no run. It must return { steps, branches }.`);
}

function definitionOf(path: string, files: readonly string[]): string {
  const hash = createHash('sha256');
  hashSources(hash, path);
  for (const file of files) hash.update(`\n${createHash('sha256').update(readFileSync(file)).digest('hex')}`);
  return hash.digest('hex');
}
