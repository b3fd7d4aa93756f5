import type { WatchedRun } from '../WatchState.ts';
import { count } from './count.ts';
import { element } from './element.ts';
import type { Source } from './source.ts';
import { SPARK, sparkLine } from './sparkLine.ts';
import { TableData } from './TableData.ts';
import { lastStepOf, sourceWords, stateSentence } from './words.ts';

/** By what runs can be sorted: their columns. */
const COLUMNS = ['run', 'state', 'started', 'step', 'settings', 'loss'] as const;
type By = (typeof COLUMNS)[number];

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
      readonly started: HTMLElement;
      readonly step: HTMLElement;
      readonly settings: HTMLElement;
      readonly spark: SVGPathElement;
      readonly lost: SVGPathElement;
      readonly button: HTMLElement;
      readonly box: HTMLElement;
    }
  >();
  readonly #heads = new Map<By, HTMLElement>();
  /** The newest loss of the runs whose line is here. */
  readonly #losses = new Map<string, number>();
  #by: By = 'run';
  #isFalling = false;
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
            COLUMNS.map((name) => {
              const button = element(
                'button',
                { type: 'button', class: 'sort', onclick: () => this.#sortBy(name) },
                name,
              );
              const head = element('th', { scope: 'col' }, button);
              this.#heads.set(name, head);
              return head;
            }),
            element('th', { scope: 'col' }, 'lay over'),
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
    const [, by, order] = /[#&]sort=(\w+)(,falling)?/.exec(location.hash) ?? [];
    if (COLUMNS.includes(by as By)) [this.#by, this.#isFalling] = [by as By, order !== undefined];
    this.#body.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('focusin', (event) => this.#enter(event.target as HTMLElement));
  }

  async update(runs: readonly WatchedRun[]): Promise<void> {
    this.#runs = runs;
    for (const run of runs) {
      let made = this.#rows.get(run.id);
      if (made === undefined) {
        const [state, settings] = [element('td'), element('td')];
        const started = element('td', { class: 'started' });
        const step = element('td', { class: 'number' });
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
          started,
          step,
          settings,
          element('td', {}, picture),
          element('td', {}, box),
        );
        made = { row, state, started, step, settings, spark, lost, button, box };
        this.#rows.set(run.id, made);
        this.#body.append(row);
        this.#sight.observe(row);
      }
      // A run that is made anew in the same folder has other settings.
      made.settings.textContent = sourceWords(run);
      made.started.textContent = run.started === null ? '' : timeWords(run.started);
      made.step.textContent = `${lastStepOf(run) ?? ''}`;
    }
    this.tick();
    const gone = [...this.#rows.keys()].filter((id) => !runs.some((run) => run.id === id));
    for (const id of gone) {
      this.#rows.get(id)!.row.remove();
      this.#rows.delete(id);
      this.#laid.delete(id);
      this.#losses.delete(id);
    }
    this.#sort();
    this.#leadTo(this.#rows.has(this.#reached) ? this.#reached : (this.#inOrder[0] ?? ''));
    const states = [...Map.groupBy(runs, ({ state }) => state)].map(([state, { length }]) => `${length} ${state}`);
    this.#caption.textContent = `${count(runs.length, 'run')}: ${states.join(', ')}. Choose one to see it; tick several to lay them over one another.`;
    await this.#draw();
  }

  /** Says anew how the runs stand: time passes without news. */
  tick(): void {
    for (const run of this.#runs) {
      const state = this.#rows.get(run.id)?.state;
      const sentence = stateSentence(run, null, Date.now());
      if (state && state.textContent !== sentence) state.textContent = sentence;
    }
  }

  /** The runs as they stand in the list. */
  get #inOrder(): string[] {
    return [...this.#body.children].map((row) => (row as HTMLElement).dataset.run!);
  }

  /** Sorts by a column; by the same once more, the other way round. The address remembers it. */
  #sortBy(by: By): void {
    this.#isFalling = by === this.#by && !this.#isFalling;
    this.#by = by;
    const rest = location.hash
      .slice(1)
      .split('&')
      .filter((part) => part !== '' && !part.startsWith('sort='));
    const isUsual = by === 'run' && !this.#isFalling;
    const hash = [...rest, ...(isUsual ? [] : [`sort=${by}${this.#isFalling ? ',falling' : ''}`])].join('&');
    history.replaceState(null, '', hash === '' ? location.pathname + location.search : `#${hash}`);
    this.#sort();
    // The losses that are not in sight are needed too.
    if (by === 'loss') this.#draw().catch(() => {});
  }

  /** Puts the rows in order; those that are equal stand by name, those without a value last. */
  #sort(): void {
    for (const [by, head] of this.#heads) {
      if (by !== this.#by) head.removeAttribute('aria-sort');
      else head.setAttribute('aria-sort', this.#isFalling ? 'descending' : 'ascending');
    }
    const keys = new Map(this.#runs.map((run) => [run.id, this.#keyOf(run)]));
    const names = new Map(this.#runs.map(({ id, name }) => [id, name]));
    const compared = (a: string, b: string) => {
      const [one, other] = [keys.get(a) ?? null, keys.get(b) ?? null];
      if (one === null || other === null) return Number(one === null) - Number(other === null);
      const order = typeof one === 'string' ? byName(one, other as string) : one - (other as number);
      return this.#isFalling ? -order : order;
    };
    const before = this.#inOrder;
    const sorted = before.toSorted((a, b) => compared(a, b) || byName(names.get(a)!, names.get(b)!));
    if (sorted.every((id, k) => id === before[k])) return;
    // What is moved loses the focus.
    const focused = document.activeElement as HTMLElement | null;
    const hasFocus = this.#body.contains(focused);
    this.#body.append(...sorted.map((id) => this.#rows.get(id)!.row));
    if (hasFocus) focused!.focus({ preventScroll: true });
  }

  #keyOf(run: WatchedRun): string | number | null {
    const { id, name, state, started } = run;
    if (this.#by === 'loss') {
      const loss = this.#losses.get(id) ?? Number.NaN;
      return Number.isNaN(loss) ? null : loss;
    }
    return { run: name, state, started, step: lastStepOf(run), settings: sourceWords(run) }[this.#by];
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
    const runs = this.#inOrder.map((id) => this.#rows.get(id)!);
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
    const seen = this.#runs.filter(({ id }) => this.#by === 'loss' || this.#seen.has(id));
    const drawn = await Promise.allSettled(seen.map((run) => this.#drawLine(run)));
    if (this.#by === 'loss') this.#sort();
    const failed = drawn.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #drawLine(run: WatchedRun): Promise<void> {
    const made = this.#rows.get(run.id);
    const show = (line: string, lost: string) => {
      made?.spark.setAttribute('d', line);
      made?.lost.setAttribute('d', lost);
    };
    const withLoss = run.tables.filter(
      ({ declaration }) => declaration?.key.join() === 'step' && 'loss' in declaration.columns,
    );
    const table = withLoss.find(({ declaration }) => declaration!.name === 'loss') ?? withLoss[0];
    const data = table && TableData.of(this.#source, run.id, table);
    data?.want(['loss']);
    await data?.update(table!);
    const [steps, values] = ['step', 'loss'].map((name) => data?.column(name)?.numbers);
    if (!data || !steps || !values) {
      this.#losses.delete(run.id);
      return show('', '');
    }
    const { line, lost } = sparkLine(steps.values, values.values, data.rows, (row) => values.isNull(row));
    show(line, lost);
    this.#losses.set(run.id, values.values[data.rows - 1] ?? Number.NaN);
  }
}

const byName = (one: string, other: string): number => one.localeCompare(other, 'en', { numeric: true });

/** When something was, as the clock here has it: 2026-11-27 18:05. */
function timeWords(time: string): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return time;
  const two = (part: number) => `${part}`.padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
}
