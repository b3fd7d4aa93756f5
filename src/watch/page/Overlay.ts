import type { WatchedRun } from '../WatchState.ts';
import type { PanelSeries } from './Curves.ts';
import { distinctNames } from './distinctNames.ts';
import { element } from './element.ts';
import { Panel } from './Panel.ts';
import { Points } from './Points.ts';
import { lineStyle, type PanelPlan, panelPlans } from './panelPlans.ts';
import { RunTables } from './RunTables.ts';
import type { Source } from './source.ts';
import { View } from './View.ts';

/** Several runs over one another: a panel for each quantity of the first view, in it a line for each run. */
export class Overlay {
  readonly root: HTMLElement;
  readonly view = new View();
  readonly #source: Source;
  readonly #tables = new Map<string, RunTables>();
  readonly #grid = element('div', { class: 'grid' });
  #panels: readonly Panel[] = [];
  #shown = '';
  #work: Promise<void> = Promise.resolve();

  constructor(source: Source) {
    this.#source = source;
    this.root = element('div', { class: 'overlay' }, element('h2', {}, 'Laid over one another'), this.#grid);
  }

  /** Brings what is new of the runs that are chosen, and draws them; one call waits for the one before. */
  update(runs: readonly WatchedRun[]): Promise<void> {
    this.#work = this.#work.catch(() => {}).then(() => this.#update(runs));
    return this.#work;
  }

  async #update(runs: readonly WatchedRun[]): Promise<void> {
    for (const run of runs) {
      const tables = this.#tables.get(run.id) ?? new RunTables(this.#source);
      this.#tables.set(run.id, tables);
      await tables.update(run);
      tables.want(firstOf(run, tables));
      await tables.update(run);
    }
    const plans = overlaid(runs.map((run) => ({ run, plans: firstOf(run, this.#tables.get(run.id)!) })));
    const text = JSON.stringify(plans);
    if (text !== this.#shown) {
      this.#shown = text;
      const chosen = new Map(this.#panels.map(({ plan, chosen }) => [plan.title, chosen]));
      for (const panel of this.#panels) panel.destroy();
      this.#panels = plans.map((plan) => {
        const series = plan.series.map((line): PanelSeries => {
          return { plan: line, points: new Points(this.#tables.get(line.run)!.get(line.table)!, line) };
        });
        return new Panel(plan, series, this.view, { chosen: chosen.get(plan.title) ?? null });
      });
      this.#grid.replaceChildren(...this.#panels.map(({ root }) => root));
    }
    const spans = runs.flatMap(({ id }) => this.#tables.get(id)!.span ?? []);
    if (spans.length > 0) this.view.extend(Math.min(...spans), Math.max(...spans));
    for (const panel of this.#panels) panel.take();
    this.redraw();
  }

  redraw(): void {
    for (const panel of this.#panels) panel.draw();
  }
}

const firstOf = (run: WatchedRun, tables: RunTables): PanelPlan[] =>
  panelPlans(run, tables.planned).filter(({ isFirst }) => isFirst);

/** Of edges: no run has it. */
const DOTS = [1.5, 4];

/** A panel for each line of the first view that some run has; edges go with what is held against them. */
function overlaid(runs: readonly { readonly run: WatchedRun; readonly plans: readonly PanelPlan[] }[]): PanelPlan[] {
  const shorts = distinctNames(runs.map(({ run }) => run.name));
  const lines = runs.flatMap(({ run, plans }, k) =>
    plans.flatMap((plan) =>
      plan.series.map((line) => ({ plan, line, name: run.name, short: shorts[k]!, style: lineStyle(k) })),
    ),
  );
  const measured = Map.groupBy(
    lines.filter(({ line }) => !line.isReference),
    ({ plan, line }) => `${plan.id}-${line.label}`,
  );
  return [...measured].map(([key, all], k): PanelPlan => {
    const { plan, line: first } = all[0]!;
    const references = lines.filter(({ plan: other, line }) => other.id === plan.id && line.isReference);
    return {
      ...plan,
      id: `over-${k}`,
      title: first.label,
      description: `${plan.description} Of each run: ${key}.`,
      series: [
        ...all.map(({ line, name, short, style }) => ({ ...line, ...style, label: name, short, isName: true })),
        ...references.map(({ line, name, style }) => ({
          ...line,
          color: style.color,
          dash: DOTS,
          label: `${line.short} of ${name}`,
          short: '',
          isName: true,
        })),
      ],
    };
  });
}
