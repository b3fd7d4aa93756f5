import type { WatchedRun } from '../WatchState.ts';
import { columnsOf, isSnapshot, type PanelPlan, type PlannedTable } from './panelPlans.ts';
import type { Source } from './source.ts';
import { TableData } from './TableData.ts';

/** The values of the key's columns beside the step, as they come. */
interface Groups {
  edition: number;
  done: number;
  readonly found: Map<string, Record<string, number | string>>;
}

/** The least and the largest step of a table's rows, as they come. */
interface Span {
  readonly edition: number;
  done: number;
  first: number;
  last: number;
}

/** The tables of one run, as far as the page has them. */
export class RunTables {
  readonly #source: Source;
  readonly #tables = new Map<string, TableData>();
  readonly #groups = new Map<string, Groups>();
  readonly #spans = new Map<string, Span>();

  constructor(source: Source) {
    this.#source = source;
  }

  get all(): readonly TableData[] {
    return [...this.#tables.values()];
  }

  get(id: string): TableData | undefined {
    return this.#tables.get(id);
  }

  /** Brings what is new of every table; those that are gone go. */
  async update(run: WatchedRun): Promise<void> {
    const tables = run.tables.filter(({ declaration }) => declaration !== null);
    for (const id of this.#tables.keys()) if (!tables.some((table) => table.id === id)) this.#tables.delete(id);
    await Promise.all(
      tables.map((table) => {
        const data = this.#tables.get(table.id) ?? TableData.of(this.#source, run.id, table);
        this.#tables.set(table.id, data);
        return data.update(table);
      }),
    );
  }

  /** Says that plans are drawn: `update` brings their columns. */
  want(plans: readonly PanelPlan[]): void {
    for (const { series } of plans) for (const line of series) this.get(line.table)?.want(columnsOf(line));
  }

  /** What panels are planned by. */
  get planned(): readonly PlannedTable[] {
    return this.all.flatMap((data): PlannedTable[] => {
      const { id, name, declaration } = data.watched;
      return declaration === null
        ? []
        : [{ id, name, declaration, groups: this.#groupsOf(data), places: placesOf(data) }];
    });
  }

  /** The first and the newest step; null where there is no row. */
  get span(): readonly [number, number] | null {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const data of this.all) {
      const span = this.#spanOf(data);
      first = Math.min(first, span.first);
      last = Math.max(last, span.last);
    }
    return first <= last ? [first, last] : null;
  }

  #spanOf(data: TableData): Span {
    const steps = data.column('step')?.numbers.values;
    let span = this.#spans.get(data.key);
    if (span?.edition !== data.edition) {
      span = { edition: data.edition, done: 0, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY };
    }
    this.#spans.set(data.key, span);
    for (; steps !== undefined && span.done < data.rows; span.done++) {
      span.first = Math.min(span.first, steps[span.done]!);
      span.last = Math.max(span.last, steps[span.done]!);
    }
    return span;
  }

  #groupsOf(data: TableData): readonly Readonly<Record<string, number | string>>[] {
    const { key, columns } = data.watched.declaration!;
    if (isSnapshot(data.watched.declaration!)) return [];
    const names = key.filter((name) => name !== 'step' && columns[name]!.type !== 'float64');
    if (names.length === 0) return [{}];
    let groups = this.#groups.get(data.key);
    if (groups?.edition !== data.edition) groups = { edition: data.edition, done: 0, found: new Map() };
    this.#groups.set(data.key, groups);
    for (; groups.done < data.rows; groups.done++) {
      const row = groups.done;
      const of: Record<string, number | string> = {};
      for (const name of names) {
        const column = data.column(name);
        of[name] =
          columns[name]!.type === 'utf8' ? ((column?.cells[row] as string) ?? '') : (column?.numbers.values[row] ?? 0);
      }
      const text = JSON.stringify(Object.values(of));
      if (!groups.found.has(text)) groups.found.set(text, of);
    }
    return [...groups.found.values()];
  }
}

/** How long the lists are that are here. */
function placesOf(data: TableData): Record<string, number> {
  const { columns } = data.watched.declaration!;
  return Object.fromEntries(
    Object.keys(columns)
      .filter((name) => columns[name]!.list)
      .map((name) => {
        const cells = (data.column(name)?.cells ?? []) as readonly (readonly number[] | null)[];
        return [name, cells.reduce((most, cell) => Math.max(most, cell?.length ?? 0), 1)];
      }),
  );
}
