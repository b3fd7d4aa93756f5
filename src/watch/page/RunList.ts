import type { WatchedRun } from '../WatchState.ts';
import { count } from './count.ts';
import { element } from './element.ts';
import type { Source } from './source.ts';
import { SPARK, sparkLine } from './sparkLine.ts';
import { TableData } from './TableData.ts';
import { sourceWords, stateSentence } from './words.ts';

/** Several runs: each with its state and its loss as a small line. */
export class RunList {
  readonly root: HTMLElement;
  readonly #source: Source;
  readonly #body = element('tbody');
  readonly #caption = element('caption');
  readonly #choose: (run: WatchedRun) => void;
  readonly #lay: (runs: readonly WatchedRun[]) => void;
  readonly #laid = new Set<string>();
  readonly #rows = new Map<
    string,
    {
      readonly row: HTMLElement;
      readonly state: HTMLElement;
      readonly spark: SVGPathElement;
      readonly lost: SVGPathElement;
      readonly button: HTMLElement;
      readonly box: HTMLElement;
    }
  >();
  readonly #seen = new Set<string>();
  readonly #sight: IntersectionObserver;
  #runs: readonly WatchedRun[] = [];
  /** The run that Tab leads to. */
  #reached = '';

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
        this.#caption,
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
      // A run that can't be read now is asked for again at the next look, which says so.
      this.#draw().catch(() => {});
    });
    this.#body.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('focusin', (event) => this.#enter(event.target as HTMLElement));
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
        const [spark, lost] = ['stroke-lambda line', 'lost'].map((name) => {
          const path = document.createElementNS(space, 'path');
          path.setAttribute('class', name);
          picture.append(path);
          return path;
        }) as [SVGPathElement, SVGPathElement];
        const button = element(
          'button',
          { type: 'button', class: 'choice', tabindex: -1, 'aria-pressed': 'false', onclick: () => this.#pick(run.id) },
          run.name,
        );
        const box = element('input', {
          type: 'checkbox',
          tabindex: -1,
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
        made = { row, state, spark, lost, button, box };
        this.#rows.set(run.id, made);
        this.#body.append(row);
        this.#sight.observe(row);
      }
      made.state.textContent = stateSentence(run, null, Date.now());
    }
    const gone = [...this.#rows.keys()].filter((id) => !runs.some((run) => run.id === id));
    for (const id of gone) {
      this.#rows.get(id)!.row.remove();
      this.#rows.delete(id);
      this.#laid.delete(id);
    }
    this.#leadTo(this.#rows.has(this.#reached) ? this.#reached : (runs[0]?.id ?? ''));
    const states = [...Map.groupBy(runs, ({ state }) => state)].map(([state, { length }]) => `${length} ${state}`);
    this.#caption.textContent = `${count(runs.length, 'run')}: ${states.join(', ')}. Choose one to see it; tick several to lay them over one another.`;
    await this.#draw();
  }

  /** Tab leads to one run, from which the arrows lead to the others: the panels are not hundreds of keys away. */
  #leadTo(id: string): void {
    for (const row of [this.#reached, id]) {
      const made = this.#rows.get(row);
      for (const control of made ? [made.button, made.box] : []) control.tabIndex = row === id ? 0 : -1;
    }
    this.#reached = id;
  }

  #enter(target: HTMLElement): void {
    const row = target.closest<HTMLElement>('[data-run]');
    if (row) this.#leadTo(row.dataset.run!);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const runs = [...this.#rows.values()];
    const here = runs.findIndex(({ row }) => row.contains(event.target as Node));
    const places: Readonly<Record<string, number>> = {
      ArrowUp: here - 1,
      ArrowDown: here + 1,
      Home: 0,
      End: runs.length - 1,
    };
    const place = places[event.key];
    if (here < 0 || place === undefined) return;
    event.preventDefault();
    const to = runs[Math.max(0, Math.min(runs.length - 1, place))]!;
    (runs[here]!.box === event.target ? to.box : to.button).focus();
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

  /** The lines of the runs that are in sight. @throws the first error, once all that can be read are drawn. */
  async #draw(): Promise<void> {
    const seen = this.#runs.filter(({ id }) => this.#seen.has(id));
    const drawn = await Promise.allSettled(seen.map((run) => this.#drawLine(run)));
    const failed = drawn.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #drawLine(run: WatchedRun): Promise<void> {
    const table =
      run.tables.find(({ declaration }) => declaration?.name === 'loss') ??
      run.tables.find(({ declaration }) => declaration?.key.join() === 'step');
    if (table?.declaration == null) return;
    const column =
      'loss' in table.declaration.columns
        ? 'loss'
        : Object.keys(table.declaration.columns).find((name) => table.declaration!.columns[name]!.type === 'float64');
    if (column === undefined) return;
    const data = TableData.of(this.#source, run.id, table);
    data.want([column]);
    await data.update(table);
    const [steps, values] = ['step', column].map((name) => data.column(name)?.numbers);
    const made = this.#rows.get(run.id);
    if (!steps || !values || !made) return;
    const { line, lost } = sparkLine(steps.values, values.values, data.rows);
    made.spark.setAttribute('d', line);
    made.lost.setAttribute('d', lost);
  }
}
