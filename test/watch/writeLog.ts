import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Float64, Int32, makeData, RecordBatch, Struct } from 'apache-arrow';
import { defineTable, float64, int32, type Table } from '../../src/core/Table.ts';
import { ArrowFile } from '../../src/files/ArrowFile.ts';
import { arrowMessages } from '../../src/files/arrowMessages.ts';
import { arrowSchema } from '../../src/tables/arrowColumns.ts';
import { toKeyValues } from '../../src/tables/tableMetadata.ts';

/** Rows a batch. */
const ROWS = 65_536;

/** A table of one number a step. */
export const numbersTable = (name: string): Table =>
  defineTable({
    name,
    description: 'A number at a step.',
    key: ['step'],
    columns: {
      step: int32({ symbol: 't', description: 'The step.' }),
      loss: float64({ symbol: 'L', description: 'A number.', scale: 'loss' }),
    },
  });

/** The log of a table as a run leaves it while it is written, with many rows in little time. */
export class NumbersLog {
  readonly #file: ArrowFile;
  readonly #messages: ReturnType<typeof arrowMessages>;
  readonly #schema: ReturnType<typeof arrowSchema>;
  #next = 0;

  constructor(folder: string, name: string, table = numbersTable(name)) {
    const writer = { host: hostname(), pid: process.pid };
    this.#schema = arrowSchema(table, toKeyValues({ table, format: 'arrow', writer, metadata: {} }));
    this.#messages = arrowMessages(this.#schema);
    const refused = (cause: Error) => cause;
    this.#file = new ArrowFile(join(folder, `${name}.arrows.part`), { kept: null, refused });
    this.#file.write(this.#messages.schema);
  }

  /** Adds so many rows. */
  add(count: number, valueAt: (step: number) => number): void {
    for (let left = count; left > 0; ) {
      const length = Math.min(left, ROWS);
      const steps = Int32Array.from({ length }, (_, k) => this.#next + k);
      const values = Float64Array.from(steps, valueAt);
      const children = [
        makeData({ type: new Int32(), length, nullCount: 0, data: steps }),
        makeData({ type: new Float64(), length, nullCount: 0, data: values }),
      ];
      const data = makeData({ type: new Struct(this.#schema.fields), length, nullCount: 0, children });
      this.#file.write(this.#messages.batch(new RecordBatch(this.#schema, data)));
      this.#next += length;
      left -= length;
    }
  }

  close(): void {
    this.#file.close();
  }
}

/** A folder that says it holds a run which runs in this process. */
export function beginRun(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const now = new Date().toISOString();
  const record = {
    state: 'running',
    metadata: { source: { steps: 1_000_000 } },
    started: now,
    finished: null,
    heartbeat: now,
    process: { host: `not ${hostname()}`, pid: 1 },
  };
  writeFileSync(join(folder, 'run.json'), JSON.stringify(record));
}
