import { count } from './count.ts';
import { element, symbol } from './element.ts';
import { shortNumber } from './scales.ts';
import type { TableData } from './TableData.ts';

/** Rows a page. */
const ROWS = 25;

/** The rows of a table as text, a page at a time, for those who read rather than look. */
export class RowsTable {
  readonly root: HTMLDetailsElement;
  readonly table: TableData;
  readonly #heading = element('summary');
  readonly #table = element('table');
  readonly #turns: readonly HTMLButtonElement[];
  readonly #box: HTMLElement;
  #pages = 1;
  #page: number | null = null;
  #shown = '';

  constructor(table: TableData, bring: () => Promise<void>) {
    this.table = table;
    // They stay where they are as the rows change, and so does the focus.
    this.#turns = ['First', 'Before', 'Next', 'Newest'].map((words, k) =>
      element('button', { type: 'button', onclick: () => this.#turn(k) }, words),
    );
    this.#box = element(
      'div',
      { class: 'scrolled', tabindex: 0, role: 'region' },
      this.#table,
      element('p', {}, this.#turns),
    );
    this.root = element('details', { class: 'rows-table', 'data-rows': table.watched.name }, this.#heading, this.#box);
    this.root.addEventListener('toggle', () => {
      if (!this.root.open) return;
      this.want();
      void bring();
    });
  }

  /** Says that all columns are shown, where they are: a run that takes the place of another may have others. */
  want(): void {
    if (this.root.open) this.table.want(Object.keys(this.table.watched.declaration!.columns));
  }

  show(): void {
    const { watched, rows } = this.table;
    const state = watched.state === 'finished' ? '' : `, ${watched.state}`;
    this.#heading.textContent = `${watched.file}: ${count(watched.rows, 'row')}${state}`;
    this.#box.setAttribute('aria-label', `Rows of ${watched.file}`);
    const names = Object.keys(watched.declaration!.columns).filter((name) => this.table.column(name));
    const pages = Math.max(1, Math.ceil(rows / ROWS));
    const page = Math.min(pages - 1, this.#page ?? pages - 1);
    const wanted = `${this.table.edition} ${page} ${names.join()} ${Math.min(rows, (page + 1) * ROWS)} ${pages}`;
    if (!this.root.open || wanted === this.#shown) return;
    this.#shown = wanted;
    const { columns, description } = watched.declaration!;
    const cell = (name: string, row: number) => {
      const column = this.table.column(name)!;
      const { type, list } = columns[name]!;
      if (list) {
        const values = column.cells[row] as readonly number[] | null;
        return values === null ? '–' : values.map((value) => shortNumber(value)).join(', ');
      }
      if (type === 'utf8') return (column.cells[row] as string | null) ?? '–';
      if (column.numbers.isNull(row)) return '–';
      const value = column.numbers.values[row]!;
      return type === 'bool' ? (value === 1 ? 'yes' : 'no') : type === 'int32' ? `${value}` : shortNumber(value, 6);
    };
    const body = Array.from({ length: Math.min(ROWS, rows - page * ROWS) }, (_, k) => page * ROWS + k).map((row) =>
      element(
        'tr',
        {},
        names.map((name) => element('td', {}, cell(name, row))),
      ),
    );
    this.#pages = pages;
    for (const [k, button] of this.#turns.entries()) {
      // One that is disabled would lose the focus.
      button.setAttribute('aria-disabled', `${k < 2 ? page === 0 : page === pages - 1}`);
    }
    this.#table.replaceChildren(
      element('caption', {}, `${description} Page ${page + 1} of ${pages}.`),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          names.map((name) =>
            element(
              'th',
              { scope: 'col', title: columns[name]!.description },
              symbol(
                columns[name]!.symbol === ''
                  ? name.replaceAll('_', ' ')
                  : `${name.replaceAll('_', ' ')} ${columns[name]!.symbol}`,
              ),
            ),
          ),
        ),
      ),
      element('tbody', {}, body),
    );
  }

  /** To the first page, the one before, the next, the newest. */
  #turn(where: number): void {
    const last = this.#pages - 1;
    const page = Math.min(last, this.#page ?? last);
    const to = [0, page - 1, page + 1, last][where]!;
    // The newest page stays the newest, where forward led there: the first may be asked for before there are rows.
    this.#page = where >= 2 && to >= last ? null : Math.max(0, to);
    this.show();
  }
}
