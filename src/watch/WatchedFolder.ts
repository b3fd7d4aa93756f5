import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { RecordBatchReader } from 'apache-arrow';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { filesBelow } from '../files/filesBelow.ts';
import { isBeingWritten } from '../files/isBeingWritten.ts';
import { readFrom } from '../files/readFrom.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { type StreamScan, scanStream } from '../files/scanStream.ts';
import { stepIn } from '../recording/openRecording.ts';
import { type RunFile, readRunFile, stateOf } from '../runs/readRunFile.ts';
import { formatOf, fromKeyValues, type TableMetadata } from '../tables/tableMetadata.ts';
import type { WatchedRecording, WatchedRun, WatchedTable, WatchState } from './WatchState.ts';

const WHO = 'watch';
/** Runs are looked for so many folders down: a sweep's lie two below its own. */
const DEPTH = 4;
/** What was found is told again for so long, in milliseconds: several pages ask at once. */
const FRESH = 400;

/** Where a table lies, for whoever sends its bytes. */
export interface TablePlace {
  readonly path: string;
  readonly run: string;
  readonly table: WatchedTable;
}

interface SeenLog {
  readonly inode: number;
  readonly scan: StreamScan;
  readonly keyValues: ReadonlyMap<string, string>;
}

type SeenParquet = { readonly inode: number; readonly rows: number; readonly header: TableMetadata };

/**
 * A folder as the page sees it: its runs, how they stand, and their tables as far as they are whole. It reads, and
 * writes nothing; of a log that grows only what is new.
 */
export class WatchedFolder {
  readonly directory: string;
  readonly #title: string;
  readonly #ids = new Map<string, string>();
  readonly #logs = new Map<string, SeenLog>();
  readonly #parquet = new Map<string, SeenParquet>();
  /** Runs that have ended, and when their folder last changed. */
  readonly #ended = new Map<string, { readonly stamp: string; readonly run: WatchedRun; places: TablePlace[] }>();
  #places = new Map<string, TablePlace>();
  #latest: { readonly time: number; readonly state: Promise<WatchState> } | null = null;

  /**
   * @param named A run's folder, one with runs in it, or a recording, which stands for the run that made it.
   * @throws BrinkError where there is no such folder, or no run in it.
   */
  constructor(named: string) {
    if (typeof named !== 'string' || named === '') {
      throw new BrinkError(WHO, `the folder is '${named}'. Name that of a run, or of several.`);
    }
    const path = resolve(named);
    const status = sayingWhy(WHO, `${path} can't be opened`, 'Look at the path.', () =>
      statSync(path, { throwIfNoEntry: false }),
    );
    if (status === undefined) {
      throw new BrinkError(WHO, `there is no folder ${path}. Name that of a run, or of several.`);
    }
    if (!status.isDirectory() && !path.endsWith('.arrows')) {
      throw new BrinkError(WHO, `${path} is a file. Name the folder of a run, or a recording.`);
    }
    this.directory = status.isDirectory() ? path : dirname(path);
    this.#title = named;
    if (this.#folders().length > 0) return;
    throw new BrinkError(
      WHO,
      `${this.directory} holds no run (run.json), nor do the folders in it. Name one that does; \`brink run\` makes one.`,
    );
  }

  /** How everything stands now. */
  state(): Promise<WatchState> {
    const now = performance.now();
    if (this.#latest === null || now - this.#latest.time > FRESH) {
      this.#latest = { time: now, state: this.#look() };
    }
    return this.#latest.state;
  }

  /** A table by the ids of its run and its own; undefined where there is none. */
  place(run: string, table: string): TablePlace | undefined {
    return this.#places.get(`${run} ${table}`);
  }

  async #look(): Promise<WatchState> {
    const places = new Map<string, TablePlace>();
    const runs: WatchedRun[] = [];
    for (const folder of this.#folders()) {
      const found = await this.#run(folder);
      runs.push(found.run);
      for (const place of found.places) places.set(`${found.run.id} ${place.table.id}`, place);
    }
    this.#places = places;
    return { title: this.#title, runs };
  }

  /** The folders of runs: the one that is named, or those in it. */
  #folders(): string[] {
    if (existsSync(join(this.directory, 'run.json'))) return [this.directory];
    const found: string[] = [];
    const visit = (folder: string, depth: number): void => {
      for (const entry of entriesOf(folder)) {
        if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name === 'node_modules') continue;
        const inner = join(folder, entry.name);
        if (existsSync(join(inner, 'run.json'))) found.push(inner);
        else if (depth < DEPTH) visit(inner, depth + 1);
      }
    };
    visit(this.directory, 1);
    return found.sort();
  }

  async #run(folder: string): Promise<{ run: WatchedRun; places: TablePlace[] }> {
    const stamp = [join(folder, 'run.json'), folder].map((path) => stampOf(path)).join(' ');
    const before = this.#ended.get(folder);
    if (before?.stamp === stamp) return before;

    const id = this.#id('r', folder);
    const name = relative(this.directory, folder) || '.';
    let record: RunFile | null = null;
    let problem: string | null = null;
    try {
      record = readRunFile(WHO, join(folder, 'run.json'));
    } catch (error) {
      problem = (error as Error).message;
    }
    const state = record === null ? 'unreadable' : stateOf(folder, record);
    const began = createHash('sha256')
      .update(`${record?.started} ${record?.process?.pid} ${folder}`)
      .digest('hex')
      .slice(0, 12);

    const tables: WatchedTable[] = [];
    const places: TablePlace[] = [];
    const recordings: WatchedRecording[] = [];
    let files: string[] = [];
    try {
      files = filesBelow(folder);
    } catch (error) {
      problem ??= (error as Error).message;
    }
    for (const file of files) {
      if (!/\.(parquet|arrows|arrows\.part)$/.test(file)) continue;
      // A log beside its Parquet file is on its way to become it.
      if (file.endsWith('.parquet') && files.includes(file.replace(/parquet$/, 'arrows'))) continue;
      const found = await this.#file(folder, file, began);
      if (found === null) continue;
      if ('path' in found) {
        recordings.push(found);
        continue;
      }
      tables.push(found);
      places.push({ path: join(folder, file), run: id, table: found });
    }
    const run: WatchedRun = {
      id,
      name,
      state,
      error: problem ?? record?.error ?? null,
      started: record?.started ?? null,
      finished: record?.finished ?? null,
      heartbeat: record?.heartbeat ?? null,
      step: record?.step ?? null,
      steps: record?.steps ?? null,
      seconds: record?.seconds ?? null,
      source: (record?.metadata.source as WatchedRun['source']) ?? null,
      branches: Object.fromEntries(
        Object.entries(record?.branches ?? {}).map(([branch, { rows, error }]) => [branch, { rows, error }]),
      ),
      tables,
      recordings,
    };
    const isEnded = state !== 'running' && tables.every((table) => table.state === 'finished');
    if (isEnded) this.#ended.set(folder, { stamp, run, places });
    return { run, places };
  }

  /** A table or a recording; null for a file that goes while it is looked at. */
  async #file(folder: string, file: string, run: string): Promise<WatchedTable | WatchedRecording | null> {
    const path = join(folder, file);
    const name = file.replace(/\.(parquet|arrows|arrows\.part)$/, '');
    const common = { id: this.#id('t', join(folder, name)), name, file, run };
    const format = file.endsWith('.parquet') ? 'parquet' : 'arrow';
    try {
      return format === 'parquet' ? await this.#finished(path, common) : this.#log(path, common);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      const nothing = { wholeBytes: 0, schemaBytes: 0, rows: 0, declaration: null, options: null };
      return { ...common, format, generation: run, ...nothing, state: 'unreadable', problem: (error as Error).message };
    }
  }

  #log(path: string, common: Pick<WatchedTable, 'id' | 'name' | 'file' | 'run'>): WatchedTable | WatchedRecording {
    const handle = openSync(path, 'r');
    let seen = this.#logs.get(path) ?? this.#logs.get(`${path}.part`);
    try {
      const { ino, size } = fstatSync(handle);
      // Another file of this name, or one that was cut, is looked at from its beginning.
      if (seen?.inode !== ino || seen.scan.end > size) seen = undefined;
      const scan = scanStream(handle, seen?.scan);
      if (scan.schema === null) {
        const problem = scan.isBroken ? 'its schema cannot be read' : null;
        const nothing = { wholeBytes: 0, schemaBytes: 0, rows: 0, declaration: null, options: null, problem };
        const state = problem === null ? 'being written' : 'unreadable';
        return { ...common, format: 'arrow', generation: `${common.run}.${ino.toString(36)}`, ...nothing, state };
      }
      let keyValues = seen?.keyValues;
      if (keyValues === undefined) {
        const bytes = new Uint8Array(scan.schema.end);
        readFrom(handle, 0, bytes);
        keyValues = RecordBatchReader.from(bytes).open().schema.metadata;
      }
      this.#logs.set(path, { inode: ino, scan, keyValues });
      if (formatOf(keyValues) === undefined) return recordingOf(path, scan);
      const { table, writer, format, metadata } = fromKeyValues(WHO, path, keyValues);
      const isWhole = format === 'arrow' && !path.endsWith('.part') && scan.isEnded;
      return {
        ...common,
        format: 'arrow',
        generation: `${common.run}.${ino.toString(36)}`,
        wholeBytes: scan.end,
        schemaBytes: scan.schema.end,
        rows: scan.batches.reduce((sum, { rows }) => sum + rows, 0),
        state: isWhole ? 'finished' : isBeingWritten(path, writer) ? 'being written' : 'unfinished',
        problem: scan.isBroken ? `it is damaged behind row ${scan.batches.reduce((n, b) => n + b.rows, 0)}` : null,
        declaration: table,
        options: optionsIn(metadata),
      };
    } finally {
      closeSync(handle);
    }
  }

  async #finished(path: string, common: Pick<WatchedTable, 'id' | 'name' | 'file' | 'run'>): Promise<WatchedTable> {
    const { ino, size } = statSync(path);
    let seen = this.#parquet.get(path);
    if (seen?.inode !== ino) {
      const { asyncBufferFromFile, parquetMetadataAsync } = await import('hyparquet');
      const { num_rows, key_value_metadata } = await parquetMetadataAsync(await asyncBufferFromFile(path));
      const keyValues = new Map((key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']));
      seen = { inode: ino, rows: Number(num_rows), header: fromKeyValues(WHO, path, keyValues) };
      this.#parquet.set(path, seen);
    }
    return {
      ...common,
      format: 'parquet',
      generation: `${common.run}.${ino.toString(36)}`,
      wholeBytes: size,
      schemaBytes: 0,
      rows: seen.rows,
      state: 'finished',
      problem: null,
      declaration: seen.header.table,
      options: optionsIn(seen.header.metadata),
    };
  }

  /** A name for a path that says nothing of it. */
  #id(kind: string, path: string): string {
    const known = this.#ids.get(path);
    if (known !== undefined) return known;
    const id = `${kind}${this.#ids.size.toString(36)}`;
    this.#ids.set(path, id);
    return id;
  }
}

/** What a table's key-values say of the options of its probe. */
const optionsIn = ({ options }: JsonObject): JsonObject | null => (options as JsonObject | undefined) ?? null;

function recordingOf(path: string, { batches }: StreamScan): WatchedRecording {
  const steps = batches.map(({ keyValues }) => stepIn(keyValues));
  const [first = null, second = null] = steps;
  const last = steps.at(-1) ?? null;
  const apart = first === null || second === null ? null : second - first;
  const isEven = apart !== null && steps.every((step, k) => step === first! + k * apart);
  const near = relative(process.cwd(), path);
  return {
    path: near.startsWith('..') ? path : near,
    count: batches.length,
    first,
    last,
    every: isEven ? apart : null,
  };
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // One that may not be looked into holds nothing that can be shown.
    return [];
  }
}

function stampOf(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? 'none' : `${status.ino} ${status.mtimeMs} ${status.size}`;
}
