import { readFileSync } from 'node:fs';
import { BrinkError } from '../core/errors.ts';
import { hasFields } from '../core/hasFields.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Setting } from './figure.ts';
import type { RunOfFigure } from './MadeRuns.ts';

/** What `figure.json` says of a figure that is whole: all that a report needs beside the tables and the picture. */
export interface FigureRecord {
  readonly figure: string;
  readonly title: string;
  readonly source: string;
  readonly about: string;
  readonly scale: string;
  readonly preset: JsonObject;
  readonly seeds: number;
  /** The absolute path of the data that was named; null: none was. */
  readonly data: string | null;
  /** Of its bytes. */
  readonly dataSha256: string | null;
  /** SHA-256 of what it is made by. */
  readonly definition: string;
  /** The file that declares it, from the working folder. */
  readonly file: string;
  readonly settings: readonly Setting[];
  readonly runs: readonly RunOfFigure[];
  /** Versions and machine, by the names that the report gives them. */
  readonly madeBy: JsonObject;
}

const FIELDS = {
  figure: ['string'],
  title: ['string'],
  source: ['string'],
  about: ['string'],
  scale: ['string'],
  preset: ['object'],
  seeds: ['integer'],
  definition: ['string'],
  file: ['string'],
  settings: ['array'],
  runs: ['array'],
  madeBy: ['object'],
} as const;
const RUN_FIELDS = { folders: ['array'], name: ['string'], seed: ['integer'], parameters: ['object'] } as const;

/** The record of a figure. @throws BrinkError where it can't be read, or is none of this release. */
export function readFigureRecord(who: string, path: string): FigureRecord {
  let why = 'it lacks what this release writes';
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (hasFields(value, FIELDS) && (value.runs as unknown[]).every((run) => hasFields(run, RUN_FIELDS))) {
      return value as unknown as FigureRecord;
    }
  } catch (error) {
    why = (error as Error).message;
  }
  throw new BrinkError(who, `${path} is no record of a figure: ${why}. Make the figure again (brink figure).`);
}
