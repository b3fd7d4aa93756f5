import type { WatchedRun } from '../WatchState.ts';
import { element } from './element.ts';
import type { Source } from './source.ts';
import { TableData } from './TableData.ts';
import { sourceWords, stateSentence } from './words.ts';

/** Lines drawn small, of as many runs at most: others are brought as they are looked at. */
const SPARK = { width: 120, height: 24, points: 120 } as const;

/** Several runs: each with its state and its loss as a small line. */
export class RunList {
  readonly root: HTMLElement;
  readonly #source: Source;
  readonly #body = element('tbody');
  readonly #choose: (run: WatchedRun) => void;
  readonly #lay: (runs: readonly WatchedRun[]) => void;
  readonly #laid = new Set<string>();
  readonly #rows = new Map<
    string,
    {
      readonly row: HTMLElement;
      readonly state: HTMLElement;
      readonly spark: SVGPolylineElement;
      readonly button: HTMLElement;
    }
  >();
  readonly #seen = new Set<string>();
  readonly #sight: IntersectionObserver;
  #runs: readonly WatchedRun[] = [];

  /**
   * @param choose Called with the run that is to be shown.
   * @param lay Called with those that are to be laid over one another.
   */
  constructor(source: Source, choose: (run: WatchedRun) => void, lay: (runs: readonly WatchedRun[]) => void) {
    this.#source = source;
    this.#choose = choose;
    this.#lay = lay;
    this.root = element(
      'nav',
      { class: 'runs', 'aria-label': 'Runs' },
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            ['run', 'state', 'settings', 'loss', 'lay over'].map((name) => element('th', { scope: 'col' }, name)),
          ),
        ),
        this.#body,
      ),
    );
    this.#sight = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) this.#seen.add((target as HTMLElement).dataset.run!);
      }
      void this.#draw();
    });
  }

  async update(runs: readonly WatchedRun[]): Promise<void> {
    this.#runs = runs;
    for (const run of runs) {
      let made = this.#rows.get(run.id);
      if (made === undefined) {
        const state = element('td');
        const space = 'http://www.w3.org/2000/svg';
        const picture = document.createElementNS(space, 'svg');
        picture.setAttribute('viewBox', `0 0 ${SPARK.width} ${SPARK.height}`);
        picture.setAttribute('class', 'spark');
        picture.setAttribute('aria-hidden', 'true');
        const spark = document.createElementNS(space, 'polyline');
        spark.setAttribute('class', 'stroke-lambda line');
        picture.append(spark);
        const button = element(
          'button',
          { type: 'button', class: 'choice', 'aria-pressed': 'false', onclick: () => this.#pick(run.id) },
          run.name,
        );
        const box = element('input', {
          type: 'checkbox',
          'aria-label': `Lay ${run.name} over others`,
          onchange: () => this.#toggle(run.id),
        });
        const row = element(
          'tr',
          { 'data-run': run.id },
          element('td', {}, button),
          state,
          element('td', {}, sourceWords(run)),
          element('td', {}, picture),
          element('td', {}, box),
        );
        made = { row, state, spark, button };
        this.#rows.set(run.id, made);
        this.#body.append(row);
        this.#sight.observe(row);
      }
      made.state.textContent = stateSentence(run, null, Date.now());
    }
    await this.#draw();
  }

  /** The runs that are laid over one another. */
  get laid(): readonly WatchedRun[] {
    return this.#runs.filter(({ id }) => this.#laid.has(id));
  }

  #toggle(id: string): void {
    if (!this.#laid.delete(id)) this.#laid.add(id);
    this.#lay(this.laid);
  }

  #pick(id: string): void {
    for (const [other, { button }] of this.#rows) button.setAttribute('aria-pressed', `${other === id}`);
    const run = this.#runs.find((one) => one.id === id);
    if (run) this.#choose(run);
  }

  /** The lines of the runs that are in sight. */
  async #draw(): Promise<void> {
    for (const run of this.#runs) {
      if (!this.#seen.has(run.id)) continue;
      const table =
        run.tables.find(({ declaration }) => declaration?.name === 'loss') ??
        run.tables.find(({ declaration }) => declaration?.key.join() === 'step');
      if (table?.declaration == null) continue;
      const column =
        'loss' in table.declaration.columns
          ? 'loss'
          : Object.keys(table.declaration.columns).find((name) => table.declaration!.columns[name]!.type === 'float64');
      if (column === undefined) continue;
      const data = TableData.of(this.#source, run.id, table);
      data.want([column]);
      await data.update(table);
      const values = data.column(column)?.numbers;
      if (values) this.#rows.get(run.id)!.spark.setAttribute('points', sparkPoints(values.values, data.rows));
    }
  }
}

/** The least and the largest of each part, joined. */
export function sparkPoints(values: Float64Array, count: number): string {
  const places: [number, number][] = [];
  const parts = Math.min(count, SPARK.points);
  for (let part = 0; part < parts; part++) {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let k = Math.floor((part * count) / parts); k < Math.floor(((part + 1) * count) / parts); k++) {
      const value = values[k]!;
      if (!Number.isFinite(value)) continue;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (least <= most) places.push([part, least], [part, most]);
  }
  const all = places.map(([, value]) => value);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (part: number) => (SPARK.width * (part + 0.5)) / Math.max(1, parts);
  const y = (value: number) => 2 + (SPARK.height - 4) * (high > low ? (high - value) / (high - low) : 0.5);
  return places.map(([part, value]) => `${x(part).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
}
