import type { WatchedRun } from '../WatchState.ts';
import { element, symbol } from './element.ts';
import { MeasureHere } from './MeasureHere.ts';
import { isOnPlane, liesAlongX } from './onPlane.ts';
import { Panel } from './Panel.ts';
import { Points } from './Points.ts';
import { type PanelPlan, panelPlans, QUESTION_NAMES } from './panelPlans.ts';
import { RowsTable } from './RowsTable.ts';
import { RunTables } from './RunTables.ts';
import { hasSnapshot, type PathPoint, Snapshot } from './snapshots.ts';
import type { Source } from './source.ts';
import type { TableData } from './TableData.ts';
import { VerdictStrip } from './VerdictStrip.ts';
import { View } from './View.ts';
import { sourceWords, stateSentence } from './words.ts';

/** One run: how it stands, its verdicts, curves, snapshots and rows. */
export class RunView {
  readonly root: HTMLElement;
  readonly view = new View();
  /** Whether something that was asked for is not here: it is asked for again. */
  isBehind = false;
  #run: WatchedRun;
  readonly #tables: RunTables;
  readonly #panels = new Map<string, { readonly panel: Panel; readonly plan: string }>();
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
  readonly #tools: HTMLElement;
  readonly #follow = element('button', { type: 'button', class: 'quiet', onclick: () => this.view.follow() }, 'Follow');
  readonly #logX = element(
    'button',
    { type: 'button', class: 'quiet', onclick: () => this.view.toggleLogX() },
    'Log steps',
  );
  readonly #first = element('div', { class: 'grid first' });
  readonly #snapshotGrid = element('div', { class: 'grid' });
  readonly #snapshotSection: HTMLElement;
  readonly #questions = new Map<
    string,
    { readonly buttons: HTMLElement; readonly grid: HTMLElement; readonly root: HTMLElement }
  >();
  readonly #recordings = new MeasureHere(this.view);
  readonly #noTable = element('p', { class: 'note' });
  readonly #rowsSection = element('section', { class: 'rows' }, element('h2', {}, 'Rows'), this.#noTable);

  constructor(source: Source, run: WatchedRun) {
    this.#tables = new RunTables(source);
    this.#run = run;
    this.#snapshotSection = element(
      'section',
      { class: 'snapshots', hidden: true },
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
    this.#tools = element(
      'div',
      { class: 'tools', role: 'group', 'aria-label': 'Steps' },
      element('button', { type: 'button', class: 'quiet', onclick: () => this.view.whole() }, 'All steps'),
      this.#follow,
      this.#logX,
    );
    this.root = element(
      'div',
      { class: 'run', 'data-run': run.id },
      element('header', {}, this.#state, this.#about, this.#errors),
      this.#tools,
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
      else this.#showTools();
    });
    this.#showTools();
  }

  /** Brings what is new of the run, and shows it. */
  async update(run: WatchedRun): Promise<void> {
    this.#run = run;
    this.isBehind = true;
    await this.#tables.update(run);
    this.#plan();
    // What the panels that are open want is known only now.
    await this.#tables.update(run);
    this.#plan();
    this.#show();
    this.isBehind = false;
  }

  /** Says anew how the run stands: time passes without news. */
  tick(): void {
    this.#state.textContent = stateSentence(this.#run, this.#tables.span?.[1] ?? null, Date.now());
  }

  redraw(): void {
    for (const { panel } of this.#panels.values()) panel.draw();
  }

  /** Which panels there are, given the rows; makes those that are open and not yet made. */
  #plan(): void {
    this.#plans = panelPlans(this.#run, this.#tables.planned);
    this.#forget();
    for (const data of this.#tables.all) {
      const { id } = data.watched;
      const declaration = data.watched.declaration!;
      if ('verdict' in declaration.columns && 'rule' in declaration.columns) {
        data.want(['verdict', 'rule']);
        if (this.#strip === null) {
          this.#strip = new VerdictStrip(data, this.view);
          this.#verdicts.append(this.#strip.root);
        }
      }
      if (hasSnapshot(declaration) && !this.#snapshots.has(id) && data.watched.rows > 0) {
        const snapshot = new Snapshot(data, { path: (step) => this.#pathFrom(data, step) });
        data.want(snapshot.columns);
        this.#lossTable?.want(['learning_rate', 'gradient_norm']);
        this.#tableOf('plane_path')?.want(['plane', 'x', 'y', 'beside']);
        this.#snapshots.set(id, snapshot);
        this.#snapshotGrid.append(snapshot.root);
        this.#snapshotSection.hidden = false;
      }
    }
    for (const plan of this.#plans) if (!this.#open.has(plan.id)) this.#open.set(plan.id, plan.isFirst);
    for (const rows of this.#rowsTables.values()) rows.want();
    this.#tables.want(this.#plans.filter(({ id }) => this.#open.get(id)));
    this.#makePanels();
  }

  /** Takes away what was shown of tables that are gone: the run was overwritten by another one. */
  #forget(): void {
    for (const [id, { panel }] of this.#panels) {
      if (this.#plans.some((plan) => plan.id === id)) continue;
      panel.destroy();
      this.#panels.delete(id);
    }
    for (const shown of [this.#snapshots, this.#rowsTables]) {
      for (const [id, part] of shown) {
        if (this.#tables.get(id) === part.table && (!(part instanceof Snapshot) || part.isOfTable)) continue;
        part.root.remove();
        shown.delete(id);
      }
    }
    this.#snapshotSection.hidden = this.#snapshots.size === 0;
    if (this.#strip && this.#tables.get(this.#strip.table.watched.id) !== this.#strip.table) {
      this.#strip.root.remove();
      this.#strip = null;
    }
  }

  #makePanels(): void {
    for (const plan of this.#plans) {
      const made = this.#panels.get(plan.id);
      const isOpen = this.#open.get(plan.id) ?? false;
      const text = JSON.stringify(plan);
      const hasFocus = made?.panel.root.contains(document.activeElement) ?? false;
      const chosen = made?.panel.chosen ?? null;
      if (made && (!isOpen || made.plan !== text)) {
        made.panel.destroy();
        this.#panels.delete(plan.id);
      }
      if (!isOpen || this.#panels.has(plan.id)) continue;
      const series = plan.series.map((line) => ({
        plan: line,
        points: new Points(this.#tables.get(line.table)!, line),
      }));
      const panel = new Panel(plan, series, this.view, {
        onClose: plan.isFirst ? null : () => this.#toggle(plan.id),
        chosen,
      });
      this.#panels.set(plan.id, { panel, plan: text });
      (plan.isFirst ? this.#first : this.#questions.get(plan.question)!.grid).append(panel.root);
      if (hasFocus) panel.focus();
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
    // What closes a panel goes with it: the focus is at what opens it again.
    const hasFocus = this.#panels.get(id)?.panel.root.contains(document.activeElement);
    if (hasFocus) this.root.querySelector<HTMLElement>(`[data-plan="${id}"]`)?.focus();
    this.update(this.#run).then(
      () => isOpen && document.querySelector(`[data-panel="${id}"]`)?.scrollIntoView({ block: 'nearest' }),
      () => {},
    );
  }

  #show(): void {
    const { span } = this.#tables;
    if (span) this.view.extend(...span);
    this.tick();
    this.#about.textContent = sourceWords(this.#run);
    const problems = [
      ...(this.#run.error === null ? [] : [this.#run.error]),
      ...Object.entries(this.#run.branches).flatMap(([name, { error }]) =>
        error === null ? [] : [`branch ${name}: ${error}`],
      ),
      ...this.#run.tables.flatMap(({ id, file, problem }) => {
        const why = problem ?? this.#tables.get(id)?.problem ?? null;
        return why === null ? [] : [`${file}: ${why}`];
      }),
    ];
    this.#errors.replaceChildren(...problems.map((problem) => element('li', {}, problem)));
    this.#strip?.draw();
    for (const { panel } of this.#panels.values()) panel.take();
    this.redraw();
    this.#showSnapshots();
    this.#showRows();
    this.#recordings.show(this.#run.recordings);
  }

  get #lossTable(): TableData | undefined {
    return this.#tableOf('loss');
  }

  #tableOf(name: string): TableData | undefined {
    return this.#tables.all.find(({ watched }) => watched.declaration?.name === name);
  }

  /**
   * Where training goes on the plane of a step: as `planePath` has measured it, else as far as it follows from the
   * update.
   */
  #pathFrom(data: TableData, step: number): readonly PathPoint[] {
    const path = this.#tableOf('plane_path');
    if (path && isOnPlane(path.watched, data.watched)) {
      const [steps, planes, xs, ys, besides] = ['step', 'plane', 'x', 'y', 'beside'].map(
        (name) => path.column(name)?.numbers.values,
      );
      if (steps && planes && xs && ys && besides) {
        const rows = Array.from({ length: path.rows }, (_, row) => row).filter((row) => planes[row] === step);
        return rows.map((row) => ({ step: steps[row]!, x: xs[row]!, y: ys[row]!, beside: besides[row]! }));
      }
    }
    const length = this.#stepAlong(data, step);
    if (length === null) return [];
    return [
      { step, x: 0, y: 0, beside: 0 },
      { step: step + 1, x: length, y: 0, beside: null },
    ];
  }

  /**
   * η‖∇L‖, how far the update from a step leads along x of a plane; null where it does not lie there, or is not known.
   */
  #stepAlong({ watched }: TableData, step: number): number | null {
    if (!liesAlongX(this.#run, watched)) return null;
    const loss = this.#lossTable;
    const steps = loss?.column('step')?.numbers.values.subarray(0, loss.rows);
    const row = steps?.indexOf(step) ?? -1;
    const [rate, norm] = ['learning_rate', 'gradient_norm'].map((name) => loss?.column(name)?.numbers.values[row]);
    return rate === undefined || norm === undefined ? null : rate * norm;
  }

  #showTools(): void {
    this.#follow.setAttribute('aria-pressed', `${this.view.isFollowing}`);
    this.#logX.setAttribute('aria-pressed', `${this.view.isLogX}`);
  }

  #showSnapshots(): void {
    for (const snapshot of this.#snapshots.values()) snapshot.show(this.view.cursor);
  }

  #showRows(): void {
    for (const data of this.#tables.all) {
      const { id } = data.watched;
      let rows = this.#rowsTables.get(id);
      if (rows === undefined) {
        rows = new RowsTable(data, () => this.update(this.#run).catch(() => {}));
        this.#rowsTables.set(id, rows);
        this.#rowsSection.append(rows.root);
      }
      rows.show();
    }
    this.#noTable.hidden = this.#run.tables.length > 0;
    this.#noTable.textContent =
      this.#run.state === 'running'
        ? 'There is no table yet. Once there is one, its panels are here.'
        : 'The run has left no table.';
  }
}
