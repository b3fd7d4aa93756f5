import { element, symbol } from './element.ts';
import { scaleOf } from './scales.ts';
import { type Stretch, slotsOf, stretchesOf } from './stretches.ts';
import type { TableData } from './TableData.ts';
import type { View } from './View.ts';

const SPACE = 'http://www.w3.org/2000/svg';
/** Those that fit in a picture; of more each of so many parts of the steps shows what share a verdict has of it. */
const MOST = 1500;
const SLOTS = 600;

/** The verdicts of `edge` over the steps, above the curves, as wide and on the same axis. */
export class VerdictStrip {
  readonly root: HTMLElement;
  readonly #view: View;
  readonly table: TableData;
  readonly #strip: SVGSVGElement;
  readonly #words: HTMLElement;
  readonly #spoken: HTMLElement;
  readonly #legend: HTMLElement;
  #last = '';
  #stretches: readonly Stretch[] = [];
  #seen = '';

  constructor(table: TableData, view: View) {
    this.table = table;
    this.#view = view;
    this.#strip = document.createElementNS(SPACE, 'svg');
    this.#strip.setAttribute('class', 'strip');
    this.#strip.setAttribute('preserveAspectRatio', 'none');
    this.#strip.setAttribute('aria-hidden', 'true');
    this.#words = element('p', { class: 'verdict-words' });
    this.#legend = element('ul', { class: 'legend' });
    this.#spoken = element('p', { class: 'unseen', 'aria-live': 'polite' });
    this.root = element(
      'section',
      { class: 'verdicts', 'aria-label': 'Verdicts over time' },
      this.#strip,
      this.#words,
      this.#legend,
      this.#spoken,
    );
    view.listen(() => this.draw());
  }

  draw(): void {
    const steps = this.table.column('step')?.numbers.values;
    const verdicts = this.table.column('verdict')?.cells as readonly (string | null)[] | undefined;
    const rules = this.table.column('rule')?.cells;
    if (steps === undefined || verdicts === undefined || verdicts.length === 0) {
      // What is there may be of a run that another one has taken the place of.
      for (const part of [this.#strip, this.#words, this.#legend]) part.replaceChildren();
      [this.#seen, this.#last] = ['', ''];
      return;
    }
    const seen = `${this.table.edition} ${verdicts.length}`;
    if (seen !== this.#seen) this.#stretches = stretchesOf(steps, verdicts);
    this.#seen = seen;
    const { range, isLogX } = this.#view;
    const scale = scaleOf(isLogX ? 'log' : 'linear');
    const [from, to] = range.map(scale.to) as [number, number];
    const shown = this.#stretches
      .filter((stretch) => stretch.to >= range[0] && stretch.from <= range[1])
      .map((stretch): Stretch => {
        // On a logarithmic axis there is no step 0.
        const [begin, end] = [stretch.from, stretch.to].map((step) =>
          scale.to(isLogX ? Math.max(step, range[0]) : step),
        );
        return { ...stretch, from: begin!, to: end! };
      });
    this.#strip.setAttribute('viewBox', `${from} 0 ${to - from} 1`);
    this.#strip.replaceChildren(
      ...(shown.length > MOST
        ? slotsOf(shown, from, to, SLOTS).flatMap(({ from: x, to: end, parts }) =>
            parts.map(({ verdict, low, high }) => piece(verdict, x, end - x, low, high - low)),
          )
        : shown.map(({ verdict, from: x, to: end }) => piece(verdict, x, Math.max(end - x, (to - from) / 400), 0, 1))),
    );
    const kinds = [...new Set(shown.map(({ verdict }) => verdict))];
    this.#legend.replaceChildren(
      ...kinds.map((verdict) => element('li', {}, element('span', { class: `patch ${classOf(verdict)}` }), verdict)),
    );
    const { cursor } = this.#view;
    const behind = cursor === null ? -1 : steps.subarray(0, verdicts.length).findIndex((step) => step > cursor);
    const row = behind < 0 ? verdicts.length - 1 : Math.max(0, behind - 1);
    this.#words.replaceChildren(
      element('strong', {}, verdicts[row] ?? 'unknown'),
      ` at step ${steps[row]}: `,
      symbol(`${rules?.[row] ?? ''}`),
    );
    const newest = verdicts.at(-1) ?? 'unknown';
    if (newest !== this.#last && this.#last !== '')
      this.#spoken.textContent = `Now ${newest}, at step ${steps[verdicts.length - 1]}`;
    this.#last = newest;
  }
}

function piece(verdict: string, x: number, width: number, y: number, height: number): SVGRectElement {
  const made = document.createElementNS(SPACE, 'rect');
  for (const [name, value] of Object.entries({ x, width, y, height })) made.setAttribute(name, `${value}`);
  made.setAttribute('class', classOf(verdict));
  return made;
}

const classOf = (verdict: string) => `verdict-${verdict.replaceAll(' ', '-')}`;
