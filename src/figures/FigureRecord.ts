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
  /** SHA-256 of what it is made by. */
  readonly definition: string;
  /** The file that declares it, from the working folder. */
  readonly file: string;
  readonly settings: readonly Setting[];
  readonly runs: readonly RunOfFigure[];
  /** Versions and machine, by the names that the report gives them. */
  readonly madeBy: JsonObject;
}
