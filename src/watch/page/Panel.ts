import { Curves, type PanelSeries } from './Curves.ts';
import { element, symbol } from './element.ts';
import { halfWidth } from './halfWidth.ts';
import type { PanelPlan } from './panelPlans.ts';
import { SCALES, type ScaleKind, shortNumber } from './scales.ts';
import { swatch } from './swatch.ts';
import type { View } from './View.ts';
import { course, reading } from './words.ts';

/** One frame of curves over steps, with its legend, its readings and its keys. */
export class Panel {
  readonly root: HTMLElement;
  readonly plan: PanelPlan;
  readonly #series: readonly PanelSeries[];
  readonly #view: View;
  readonly #curves: Curves;
  readonly #box: HTMLElement;
  readonly #legend: HTMLElement;
  readonly #note: HTMLElement;
  readonly #nothing = element('p', { class: 'nothing', hidden: true });
  readonly #says: HTMLElement;
  readonly #spoken: HTMLElement;
  readonly #scaleChoice: HTMLSelectElement;
  readonly #entries: { readonly value: HTMLElement; readonly counts: HTMLElement; readonly root: HTMLElement }[] = [];
  readonly #stop: () => void;
  #active = 0;

  /**
   * @param onClose What its button does; without, it has none.
   * @param chosen The scale that somebody has chosen for the panel whose place it takes.
   */
  constructor(
    plan: PanelPlan,
    series: readonly PanelSeries[],
    view: View,
    { onClose = null, chosen = null }: { onClose?: (() => void) | null; chosen?: ScaleKind | null } = {},
  ) {
    this.plan = plan;
    this.#series = series;
    this.#view = view;
    const id = `panel-${plan.id}`;
    this.#says = element('p', { id: `${id}-says`, class: 'unseen' }, plan.description);
    this.#legend = element('ul', { class: 'legend' });
    this.#note = element('p', { class: 'note' });
    this.#spoken = element('p', { class: 'unseen', 'aria-live': 'polite' });
    this.#scaleChoice = element(
      'select',
      {
        'aria-label': `Scale of ${plan.title}`,
        onchange: () => this.#curves.choose(this.#scaleChoice.value as ScaleKind),
      },
      SCALES.map((kind) => element('option', { value: kind }, kind)),
    );
    this.#box = element('div', {
      class: 'plot',
      tabindex: 0,
      role: 'application',
      'aria-label': plan.title,
      'aria-describedby': `${id}-says`,
      'aria-keyshortcuts': 'ArrowLeft ArrowRight PageUp PageDown Home End ArrowUp ArrowDown + - 0 f l Space ?',
      onkeydown: (event: KeyboardEvent) => this.#key(event),
    });
    this.root = element(
      'figure',
      { class: 'panel', id, 'data-panel': plan.id },
      element(
        'figcaption',
        {},
        element('h3', {}, symbol(plan.title)),
        this.#scaleChoice,
        onClose &&
          element(
            'button',
            { type: 'button', class: 'quiet', onclick: onClose, 'aria-label': `Close ${plan.title}` },
            '×',
          ),
      ),
      this.#box,
      this.#legend,
      this.#note,
      this.#says,
      this.#spoken,
    );
    for (const [k, { plan: line }] of series.entries()) {
      const value = element('span', { class: 'value' });
      const counts = element('span', { class: 'counts' });
      const entry = element(
        'li',
        {},
        element(
          'button',
          { type: 'button', class: 'series', 'aria-pressed': k === 0, onclick: () => this.#activate(k) },
          swatch(line),
          line.isName ? line.label : symbol(line.label),
        ),
        value,
        counts,
      );
      this.#entries.push({ value, counts, root: entry });
      this.#legend.append(entry);
    }
    this.#box.append(this.#nothing);
    this.#curves = new Curves(this.#box, series, view, plan.scale, chosen, () => this.#hasDrawn());
    this.#stop = view.listen((what) => {
      if (what === 'range') this.draw();
      else {
        this.#curves.showCursor();
        this.#showReadings();
      }
    });
  }

  destroy(): void {
    this.#stop();
    this.#curves.destroy();
    this.root.remove();
  }

  /** The scale that somebody has chosen; null where nobody has. */
  get chosen(): ScaleKind | null {
    return this.#curves.chosen;
  }

  focus(): void {
    this.#box.focus();
  }

  /** Takes what the tables have more by now: a frame draws what was taken before. */
  take(): void {
    this.#curves.take();
  }

  /** Draws anew, at the next frame. */
  draw(): void {
    this.#curves.draw();
  }

  /** Says beside the curves what has changed with them. */
  #hasDrawn(): void {
    const { kind, note, nothing } = this.#curves;
    this.#nothing.hidden = nothing === null;
    this.#nothing.textContent = nothing;
    this.#scaleChoice.value = kind;
    // Without classes there is no accuracy.
    this.root.hidden = this.plan.isFirst && this.#series.every(({ plan, points }) => plan.isReference || points.isNull);
    this.#note.textContent = [this.plan.note, note].filter(Boolean).join(' ');
    this.#showCounts();
    this.#describe();
    this.#showReadings();
  }

  /** What the panel shows, for those who don't see it. */
  #describe(): void {
    const courses = this.#series.flatMap(({ plan, points }) => {
      const { length, least, largest } = points;
      if (length === 0 || least > largest) return [];
      const { y } = points;
      let [first, last] = [0, length - 1];
      while (y.isNull(first)) first++;
      while (y.isNull(last)) last--;
      return [course(plan.label, y.values[first]!, y.values[last]!, least, largest)];
    });
    const { nothing } = this.#curves;
    const said = nothing === null ? courses : [...courses, nothing];
    const text = [this.plan.description, ...said.map((one) => `${one}.`)].join(' ');
    if (this.#says.textContent !== text) this.#says.textContent = text;
  }

  #showCounts(): void {
    for (const [k, { points }] of this.#series.entries()) {
      const { nan, infinite, notPositive } = points.counts;
      const parts = [
        ...(nan > 0 ? [`▲ ${nan} NaN`] : []),
        ...(infinite > 0 ? [`▲▼ ${infinite} infinite`] : []),
        ...(this.#curves.kind === 'log' && notPositive > 0 ? [`▼ ${notPositive} not positive`] : []),
      ];
      this.#entries[k]!.counts.textContent = parts.join(', ');
    }
  }

  #showReadings(): void {
    const { cursor } = this.#view;
    for (const [k, { points }] of this.#series.entries()) {
      const place = cursor === null ? points.length - 1 : points.nearest(cursor);
      const { value, root } = this.#entries[k]!;
      // A column that is null throughout is not measured here.
      root.hidden = points.isNull;
      if (place < 0) value.textContent = '';
      else {
        const step = points.x.values[place]!;
        const number = points.y.isNull(place) ? '–' : shortNumber(points.y.values[place]!);
        const half = halfWidth(points, place);
        const error = Number.isFinite(half) && half > 0 ? ` ± ${shortNumber(half, 2)}` : '';
        value.textContent = `${number}${error} at ${step}`;
      }
    }
  }

  #activate(k: number): void {
    this.#active = k;
    for (const [j, { root }] of this.#entries.entries()) {
      root.querySelector('button')!.setAttribute('aria-pressed', `${j === k}`);
    }
    this.#speak();
  }

  /** What the cursor is at, for those who don't see it. */
  #speak(): void {
    const { plan, points } = this.#series[this.#active]!;
    const { cursor } = this.#view;
    const place = cursor === null ? points.length - 1 : points.nearest(cursor);
    if (place < 0) {
      this.#spoken.textContent = `${plan.label} has no rows yet`;
      return;
    }
    const step = points.x.values[place]!;
    const value = points.y.isNull(place) ? null : points.y.values[place]!;
    this.#spoken.textContent = reading(plan.label, value, step, cursor ?? step);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.#box) return;
    const view = this.#view;
    const { points } = this.#series[this.#active]!;
    const here = view.cursor === null ? points.length : points.nearest(view.cursor);
    const go = (place: number) => {
      if (points.length === 0) return;
      view.point(points.x.values[Math.min(points.length - 1, Math.max(0, place))]!, true);
      this.#speak();
    };
    const leap = () => {
      const [from, to] = view.range;
      return Math.max(1, Math.round((points.before(to) - points.before(from)) / 10));
    };
    const count = this.#series.length;
    const actions: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => go(here - 1),
      ArrowRight: () => go(here + 1),
      PageUp: () => go(here - leap()),
      PageDown: () => go(here + leap()),
      Home: () => go(0),
      End: () => go(points.length - 1),
      ArrowUp: () => this.#activate((this.#active + count - 1) % count),
      ArrowDown: () => this.#activate((this.#active + 1) % count),
      '+': () => view.zoom(0.5),
      '=': () => view.zoom(0.5),
      '-': () => view.zoom(2),
      '0': () => view.whole(),
      f: () => view.follow(),
      l: () => this.#curves.choose(SCALES[(SCALES.indexOf(this.#curves.kind) + 1) % SCALES.length]!),
      L: () => view.toggleLogX(),
      ' ': () => {
        view.isPinned = !view.isPinned;
        this.#spoken.textContent = view.isPinned ? 'The cursor stays' : 'The cursor follows the pointer';
      },
      '?': () => document.querySelector<HTMLDialogElement>('#keys')?.showModal(),
    };
    const action = actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  }
}
