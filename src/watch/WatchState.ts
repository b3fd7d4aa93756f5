import type { JsonObject } from '../core/Json.ts';
import type { Table } from '../core/Table.ts';

/** What the page is told of a folder: plain JSON. */
export interface WatchState {
  /** The folder, as it was named. */
  readonly title: string;
  readonly runs: readonly WatchedRun[];
}

export interface WatchedRun {
  /** By which the page asks for it: no path. */
  readonly id: string;
  /** Its folder within the one that is watched; '.' where it is that itself. */
  readonly name: string;
  /**
   * As in run.json; `cut off` where the process that was to end the run is no more, `unreadable` where it says nothing.
   */
  readonly state: string;
  /** What is wrong with run.json, or what ended the run. */
  readonly error: string | null;
  readonly started: string | null;
  readonly finished: string | null;
  /** When the run last said that it lives. */
  readonly heartbeat: string | null;
  /** The newest step that run.json speaks of. */
  readonly step: number | null;
  /** How many steps it took, once it has ended. */
  readonly steps: number | null;
  readonly seconds: number | null;
  /** What trains, with its settings; null where the run says nothing of it. */
  readonly source: Readonly<Record<string, unknown>> | null;
  readonly branches: Readonly<Record<string, { readonly rows: number; readonly error: string | null }>>;
  readonly tables: readonly WatchedTable[];
  readonly recordings: readonly WatchedRecording[];
}

export interface WatchedTable {
  readonly id: string;
  /** The file's name without its endings: that of the branch. */
  readonly name: string;
  readonly file: string;
  readonly format: 'arrow' | 'parquet';
  /** The run and the file: what is read of one generation fits together. */
  readonly generation: string;
  /** The run alone: a log and the Parquet file that is made of it have the same. */
  readonly run: string;
  /** Where the last whole message ends, or the file. */
  readonly wholeBytes: number;
  /** Where the schema ends, with which every part of a log is read; 0 for Parquet. */
  readonly schemaBytes: number;
  readonly rows: number;
  /** `being written`, `unfinished` where nobody does any more, `finished`, or `unreadable`. */
  readonly state: 'being written' | 'unfinished' | 'finished' | 'unreadable';
  /** Why it is unreadable, or what is wrong at its end. */
  readonly problem: string | null;
  readonly declaration: Table | null;
  /** Those of the probe that measured it; null where it says nothing of them. */
  readonly options: JsonObject | null;
}

export interface WatchedRecording {
  /** As a command names it from where the server was started. */
  readonly path: string;
  /** The steps that it holds: how many, and from where to where. */
  readonly count: number;
  readonly first: number | null;
  readonly last: number | null;
  /** In steps, from one to the next; null where that varies. */
  readonly every: number | null;
}
