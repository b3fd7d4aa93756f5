import type { WatchedRun, WatchedTable } from '../WatchState.ts';
import { element, symbol } from './element.ts';
import { MeasureHere } from './MeasureHere.ts';
import { Panel } from './Panel.ts';
import { Points } from './Points.ts';
import {
  columnsOf,
  isSnapshot,
  type PanelPlan,
  type PlannedTable,
  panelPlans,
  QUESTION_NAMES,
  type SeriesPlan,
} from './panelPlans.ts';
import { RowsTable } from './RowsTable.ts';
import { hasSnapshot, Snapshot } from './snapshots.ts';
import type { Source } from './source.ts';
import { TableData } from './TableData.ts';
import { VerdictStrip } from './VerdictStrip.ts';
import { View } from './View.ts';
import { sourceWords, stateSentence } from './words.ts';

/** The values of the key's columns beside the step, as they come. */
interface Groups {
  edition: number;
  done: number;
  readonly found: Map<string, Record<string, number | string>>;
}

/** One run: how it stands, its verdicts, curves, snapshots and rows. */
export class RunView {
  readonly root: HTMLElement;
  readonly view = new View();
  readonly #source: Source;
  #run: WatchedRun;
  readonly #tables = new Map<string, TableData>();
  readonly #groups = new Map<string, Groups>();
  readonly #panels = new Map<
    string,
    { readonly panel: Panel; readonly plan: string; readonly points: readonly Points[] }
  >();
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #rowsTables = new Map<string, RowsTable>();
  /** Panels that somebody has opened, or that are there at first and nobody has closed. */
  readonly #open = new Map<string, boolean>();
  #plans: readonly PanelPlan[] = [];
  #strip: VerdictStrip | null = null;
  readonly #state = element('p', { class: 'state' });
  readonly #about = element('p', { class: 'about' });
  readonly #errors = element('ul', { class: 'errors' });
  readonly #verdicts = element('div');
  readonly #first = element('div', { class: 'grid first' });
  readonly #snapshotGrid = element('div', { class: 'grid' });
  readonly #snapshotSection: HTMLElement;
  readonly #questions = new Map<
    string,
    { readonly buttons: HTMLElement; readonly grid: HTMLElement; readonly root: HTMLElement }
  >();
  readonly #recordings = new MeasureHere(this.view);
  readonly #rowsSection = element('section', { class: 'rows' }, element('h2', {}, 'Rows'));

  constructor(source: Source, run: WatchedRun) {
    this.#source = source;
    this.#run = run;
    this.#snapshotSection = element(
      'section',
      { hidden: true },
      element('h2', {}, 'At the cursor'),
      this.#snapshotGrid,
    );
    for (const question of QUESTION_NAMES) {
      const buttons = element('div', { class: 'choices', role: 'group', 'aria-label': question });
      const grid = element('div', { class: 'grid' });
      this.#questions.set(question, {
        buttons,
        grid,
        root: element('section', { hidden: true }, element('h2', {}, question), buttons, grid),
      });
    }
    this.root = element(
      'div',
      { class: 'run', 'data-run': run.id },
      element('header', {}, this.#state, this.#about, this.#errors),
      this.#verdicts,
      element('h2', { class: 'unseen' }, 'At a glance'),
      this.#first,
      this.#recordings.root,
      this.#snapshotSection,
      [...this.#questions.values()].map(({ root }) => root),
      this.#rowsSection,
    );
    this.view.listen((what) => {
      if (what === 'cursor') this.#showSnapshots();
    });
  }

  /** Brings what is new of the run, and shows it. */
  async update(run: WatchedRun): Promise<void> {
    this.#run = run;
    const tables = run.tables.filter(({ declaration }) => declaration !== null);
    await Promise.all(tables.map((table) => this.#dataOf(table).update(table)));
    this.#plan();
    // What the panels that are open want is known only now.
    await Promise.all(tables.map((table) => this.#dataOf(table).update(table)));
    this.#plan();
    this.#show();
  }

  /** Says anew how the run stands: time passes without news. */
  tick(): void {
    this.#state.textContent = stateSentence(this.#run, this.lastStep, Date.now());
  }

  /** The newest step that a table has. */
  get lastStep(): number | null {
    let last: number | null = null;
    for (const data of this.#tables.values()) {
      const steps = data.column('step')?.numbers;
      if (steps && data.rows > 0) last = Math.max(last ?? 0, steps.values[data.rows - 1]!);
    }
    return last;
  }

  redraw(): void {
    for (const { panel } of this.#panels.values()) panel.draw();
  }

  /** Panels by their plan's name, for whoever measures them. */
  get panels(): readonly Panel[] {
    return [...this.#panels.values()].map(({ panel }) => panel);
  }

  /** The plans of the first view with their numbers, for runs that are laid over one another. */
  get firstLines(): readonly { readonly plan: PanelPlan; readonly points: readonly Points[] }[] {
    return this.#plans
      .filter(({ isFirst }) => isFirst)
      .flatMap((plan) => {
        const made = this.#panels.get(plan.id);
        return made ? [{ plan, points: made.points }] : [];
      });
  }

  #dataOf(table: WatchedTable): TableData {
    let data = this.#tables.get(table.id);
    if (data === undefined) {
      data = new TableData(this.#source, this.#run.id, table);
      this.#tables.set(table.id, data);
    }
    return data;
  }

  /** Which panels there are, given the rows; makes those that are open and not yet made. */
  #plan(): void {
    const planned = [...this.#tables.values()].flatMap((data): PlannedTable[] => {
      const { id, name, declaration } = data.watched;
      if (declaration === null) return [];
      return [{ id, name, declaration, groups: this.#groupsOf(data), places: placesOf(data) }];
    });
    this.#plans = panelPlans(this.#run, planned);
    for (const [id, data] of this.#tables) {
      const declaration = data.watched.declaration!;
      if ('verdict' in declaration.columns && 'rule' in declaration.columns) {
        data.want(['verdict', 'rule']);
        if (this.#strip === null) {
          this.#strip = new VerdictStrip(data, this.view);
          this.#verdicts.append(this.#strip.root);
        }
      }
      if (hasSnapshot(declaration) && !this.#snapshots.has(id) && data.watched.rows > 0) {
        const snapshot = new Snapshot(data);
        data.want(snapshot.columns);
        this.#snapshots.set(id, snapshot);
        this.#snapshotGrid.append(snapshot.root);
        this.#snapshotSection.hidden = false;
      }
    }
    for (const plan of this.#plans) if (!this.#open.has(plan.id)) this.#open.set(plan.id, plan.isFirst);
    for (const plan of this.#plans) {
      if (!this.#open.get(plan.id)) continue;
      for (const line of plan.series) this.#tables.get(line.table)?.want(columnsOf(line));
    }
    this.#makePanels();
  }

  #makePanels(): void {
    for (const plan of this.#plans) {
      const made = this.#panels.get(plan.id);
      const isOpen = this.#open.get(plan.id) ?? false;
      const text = JSON.stringify(plan);
      if (made && (!isOpen || made.plan !== text)) {
        made.panel.destroy();
        this.#panels.delete(plan.id);
      }
      if (!isOpen || this.#panels.has(plan.id)) continue;
      const series = plan.series.map((line) => ({ plan: line, points: this.#pointsOf(line) }));
      const panel = new Panel(plan, series, this.view, plan.isFirst ? null : () => this.#toggle(plan.id));
      this.#panels.set(plan.id, { panel, plan: text, points: series.map(({ points }) => points) });
      (plan.isFirst ? this.#first : this.#questions.get(plan.question)!.grid).append(panel.root);
      panel.draw();
    }
    for (const [question, { buttons, root }] of this.#questions) {
      const plans = this.#plans.filter((plan) => plan.question === question && !plan.isFirst);
      root.hidden = plans.length === 0;
      const wanted = plans.map(({ id }) => id).join();
      if (buttons.dataset.plans !== wanted) {
        buttons.dataset.plans = wanted;
        buttons.replaceChildren(
          ...plans.map((plan) =>
            element(
              'button',
              {
                type: 'button',
                class: 'choice',
                'data-plan': plan.id,
                title: plan.description,
                'aria-pressed': 'false',
                onclick: () => this.#toggle(plan.id),
              },
              symbol(plan.title),
            ),
          ),
        );
      }
      for (const button of buttons.querySelectorAll<HTMLElement>('[data-plan]')) {
        button.setAttribute('aria-pressed', `${this.#open.get(button.dataset.plan!) ?? false}`);
      }
    }
  }

  #toggle(id: string): void {
    this.#open.set(id, !this.#open.get(id));
    const isOpen = this.#open.get(id);
    void this.update(this.#run).then(() => {
      if (isOpen) document.querySelector(`[data-panel="${id}"]`)?.scrollIntoView({ block: 'nearest' });
    });
  }

  #pointsOf(line: SeriesPlan): Points {
    return new Points(this.#tables.get(line.table)!, line);
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
      const text = Object.values(of).join(' ');
      if (!groups.found.has(text)) groups.found.set(text, of);
    }
    return [...groups.found.values()];
  }

  #show(): void {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const data of this.#tables.values()) {
      const steps = data.column('step')?.numbers;
      if (steps === undefined || data.rows === 0) continue;
      first = Math.min(first, steps.values[0]!);
      last = Math.max(last, steps.values[data.rows - 1]!);
    }
    if (first <= last) this.view.extend(first, last);
    this.tick();
    this.#about.textContent = sourceWords(this.#run);
    const problems = [
      ...(this.#run.error === null ? [] : [this.#run.error]),
      ...Object.entries(this.#run.branches).flatMap(([name, { error }]) =>
        error === null ? [] : [`branch ${name}: ${error}`],
      ),
      ...this.#run.tables.flatMap(({ file, problem }) => (problem === null ? [] : [`${file}: ${problem}`])),
    ];
    this.#errors.replaceChildren(...problems.map((problem) => element('li', {}, problem)));
    this.#strip?.draw();
    this.redraw();
    this.#showSnapshots();
    this.#showRows();
    this.#recordings.show(this.#run.recordings);
  }

  #showSnapshots(): void {
    for (const snapshot of this.#snapshots.values()) snapshot.show(this.view.cursor);
  }

  #showRows(): void {
    for (const data of this.#tables.values()) {
      let rows = this.#rowsTables.get(data.key);
      if (rows === undefined) {
        rows = new RowsTable(data, () => this.update(this.#run));
        this.#rowsTables.set(data.key, rows);
        this.#rowsSection.append(rows.root);
      }
      rows.show();
    }
    if (this.#tables.size === 0) {
      const none = this.#run.tables.length === 0 && this.#rowsSection.querySelector('.note') === null;
      if (none) this.#rowsSection.append(element('p', { class: 'note' }, 'There is no table yet.'));
    } else this.#rowsSection.querySelector(':scope > .note')?.remove();
  }
}

/** How long the lists are that are here. */
function placesOf(data: TableData): Record<string, number> {
  const { columns } = data.watched.declaration!;
  return Object.fromEntries(
    Object.keys(columns)
      .filter((name) => columns[name]!.list)
      .map((name) => {
        const cells = data.column(name)?.cells ?? [];
        const lengths = [cells[0], cells.at(-1)].map(
          (cell) => (cell as readonly number[] | null | undefined)?.length ?? 0,
        );
        return [name, Math.max(1, ...lengths)];
      }),
  );
}
