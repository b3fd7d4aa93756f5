import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readdirSync, type Stats, statSync } from 'node:fs';
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
  /** That of the file which was looked at: what a name leads to can be another by now. */
  readonly inode: number;
}

/** What a file was when it was looked at. File systems give a number out again as soon as its file is gone. */
interface SeenFile {
  readonly run: string;
  readonly inode: number;
  readonly size: number;
  readonly changed: number;
}

interface SeenLog extends SeenFile {
  readonly scan: StreamScan;
  readonly keyValues: ReadonlyMap<string, string>;
}

interface SeenParquet extends SeenFile {
  readonly rows: number;
  readonly header: TableMetadata;
}

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
  /** How often the rows of a file were others, though it bears the same number and is of the same run. */
  readonly #rewritten = new Map<string, number>();
  /** Runs that have ended, and when their folder and their files last changed. */
  readonly #ended = new Map<
    string,
    {
      readonly files: readonly string[];
      readonly stamp: string;
      readonly run: WatchedRun;
      readonly places: TablePlace[];
    }
  >();
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
    const before = this.#ended.get(folder);
    if (before !== undefined && before.stamp === stampOf(folder, before.files)) return before;

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
    const stamp = stampOf(folder, files);
    for (const file of files) {
      if (!/\.(parquet|arrows|arrows\.part)$/.test(file)) continue;
      // A log beside its Parquet file is on its way to become it.
      const log = file.replace(/parquet$/, 'arrows');
      if (log !== file && (files.includes(log) || files.includes(`${log}.part`))) continue;
      const found = await this.#file(folder, file, began);
      if (found === null) continue;
      if ('path' in found) {
        recordings.push(found);
        continue;
      }
      const { inode, ...table } = found;
      tables.push(table);
      places.push({ path: join(folder, file), run: id, table, inode });
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
    if (isEnded) this.#ended.set(folder, { files, stamp, run, places });
    return { run, places };
  }

  /** A table or a recording; null for a file that goes while it is looked at. */
  async #file(folder: string, file: string, run: string): Promise<FoundTable | WatchedRecording | null> {
    const path = join(folder, file);
    const name = file.replace(/\.(parquet|arrows|arrows\.part)$/, '');
    const common = { id: this.#id('t', join(folder, name)), name, file, run };
    const format = file.endsWith('.parquet') ? 'parquet' : 'arrow';
    try {
      return format === 'parquet' ? await this.#finished(path, common) : this.#log(path, common);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      const nothing = { wholeBytes: 0, schemaBytes: 0, rows: 0, declaration: null, options: null };
      const problem = (error as Error).message;
      return { ...common, format, generation: run, ...nothing, state: 'unreadable', problem, inode: 0 };
    }
  }

  #log(path: string, common: Pick<WatchedTable, 'id' | 'name' | 'file' | 'run'>): FoundTable | WatchedRecording {
    const handle = openSync(path, 'r');
    let seen = this.#logs.get(path) ?? this.#logs.get(`${path}.part`);
    try {
      const file = seenFile(common.run, fstatSync(handle));
      const { inode, size } = file;
      // Another file of this name is looked at from its beginning, and so is one that was cut, or changed behind its
      // end.
      const isRewritten = (seen?.scan.end ?? 0) > size || (seen?.scan.isEnded && !isSameFile(seen, file));
      const generation = this.#generation(common.id, file, seen, isRewritten ?? false);
      if (seen?.run !== file.run || seen.inode !== inode || isRewritten) seen = undefined;
      const scan = scanStream(handle, seen?.scan);
      if (scan.schema === null) {
        const problem = scan.isBroken ? 'its schema cannot be read' : null;
        const nothing = { wholeBytes: 0, schemaBytes: 0, rows: 0, declaration: null, options: null, problem };
        const state = problem === null ? 'being written' : 'unreadable';
        return { ...common, format: 'arrow', generation, ...nothing, state, inode };
      }
      let keyValues = seen?.keyValues;
      if (keyValues === undefined) {
        const bytes = new Uint8Array(scan.schema.end);
        readFrom(handle, 0, bytes);
        keyValues = RecordBatchReader.from(bytes).open().schema.metadata;
      }
      this.#logs.set(path, { ...file, scan, keyValues });
      if (formatOf(keyValues) === undefined) return recordingOf(path, scan);
      const { table, writer, format, metadata } = fromKeyValues(WHO, path, keyValues);
      const isWhole = format === 'arrow' && !path.endsWith('.part') && scan.isEnded;
      return {
        ...common,
        format: 'arrow',
        generation,
        inode,
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

  async #finished(path: string, common: Pick<WatchedTable, 'id' | 'name' | 'file' | 'run'>): Promise<FoundTable> {
    const file = seenFile(common.run, statSync(path));
    let seen = this.#parquet.get(path);
    const isSame = isSameFile(seen, file);
    const generation = this.#generation(common.id, file, seen, !isSame);
    if (seen === undefined || !isSame) {
      const { asyncBufferFromFile, parquetMetadataAsync } = await import('hyparquet');
      const { num_rows, key_value_metadata } = await parquetMetadataAsync(await asyncBufferFromFile(path));
      const keyValues = new Map((key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']));
      seen = { ...file, rows: Number(num_rows), header: fromKeyValues(WHO, path, keyValues) };
      this.#parquet.set(path, seen);
    }
    return {
      ...common,
      format: 'parquet',
      generation,
      inode: file.inode,
      wholeBytes: file.size,
      schemaBytes: 0,
      rows: seen.rows,
      state: 'finished',
      problem: null,
      declaration: seen.header.table,
      options: optionsIn(seen.header.metadata),
    };
  }

  /** The name of what a file holds: of the run, of the file, and of how often that was written anew. */
  #generation(id: string, { run, inode }: SeenFile, before: SeenFile | undefined, isRewritten: boolean): string {
    const generation = `${run}.${inode.toString(36)}`;
    const times =
      (this.#rewritten.get(`${id} ${generation}`) ?? 0) +
      (before?.run === run && before.inode === inode && isRewritten ? 1 : 0);
    this.#rewritten.set(`${id} ${generation}`, times);
    return times === 0 ? generation : `${generation}.${times}`;
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

type FoundTable = WatchedTable & Pick<TablePlace, 'inode'>;

const seenFile = (run: string, { ino, size, mtimeMs }: Stats): SeenFile => ({
  run,
  inode: ino,
  size,
  changed: mtimeMs,
});

const isSameFile = (seen: SeenFile | undefined, file: SeenFile): boolean =>
  seen?.run === file.run && seen.inode === file.inode && seen.size === file.size && seen.changed === file.changed;

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

/**
 * Changes with a run's record, its folder, and each of its files: one that is written over in place changes no folder.
 */
function stampOf(folder: string, files: readonly string[]): string {
  const paths = new Set(['run.json', '', ...files.flatMap((file) => [file, dirname(file)])]);
  return [...paths]
    .map((path) => statSync(join(folder, path), { throwIfNoEntry: false }))
    .map((status) => (status === undefined ? 'none' : `${status.ino} ${status.mtimeMs} ${status.size}`))
    .join(' ');
}
