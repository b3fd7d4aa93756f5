import type { Table } from '../../core/Table.ts';
import { type Frame, framesOf } from '../../plots/framesOf.ts';
import { REFERENCE_DASHES } from '../../plots/styles.ts';
import { errorOf, measuredColumns, symbolOf, titleOf, wordsOf } from '../../plots/tableColumns.ts';
import { MOST_SERIES, spread } from '../../plots/tableSeries.ts';
import type { WatchedRun } from '../WatchState.ts';
import type { PointsPlan } from './Points.ts';
import type { ScaleKind } from './scales.ts';
import { subscript } from './subscript.ts';

/** A line of a panel. */
export interface SeriesPlan extends PointsPlan {
  /** Of the table, among those of the run. */
  readonly table: string;
  /** The run, where several are laid over one another. */
  readonly run: string;
  readonly label: string;
  /** At the line's end, where there is less room. */
  readonly short: string;
  /** Edges, bounds and predictions are dashed. */
  readonly isReference: boolean;
  /** Whether the label is a name, of which no sign sets a subscript. */
  readonly isName: boolean;
  /** A property of the page's style. */
  readonly color: string;
  readonly dash: readonly number[];
}

/** What is drawn in one frame: what it is called, what it asks, its lines. */
export interface PanelPlan {
  readonly id: string;
  readonly title: string;
  readonly question: Question;
  readonly series: readonly SeriesPlan[];
  /** Whether it is shown at first. */
  readonly isFirst: boolean;
  /** How its values run, where the values shall not decide. */
  readonly scale: ScaleKind | null;
  /** One sentence. */
  readonly description: string;
  /** Which of its lines are not drawn; empty where all are. */
  readonly note: string;
}

/** A table and the rows a step that it has: the values of the rest of its key. */
export interface PlannedTable {
  readonly id: string;
  readonly name: string;
  readonly declaration: Table;
  readonly groups: readonly Readonly<Record<string, number | string>>[];
  /** How long the lists of a column are. */
  readonly places: Readonly<Record<string, number>>;
}

/** The questions that panels answer (as Cockpit groups its instruments), and the tables that do. */
const QUESTIONS = {
  'Is it stable?': [
    'edge',
    'eigenvalues',
    'sharpness',
    'batch_sharpness',
    'critical_sharpness',
    'loss_change',
    'theorem_one',
  ],
  'Is the batch noisy?': ['concentration', 'resultant_length', 'scaling'],
  'Where on the valley are we?': ['alignment', 'traces', 'slices', 'slice_minima', 'spectrum', 'planes', 'plane_path'],
  'Does it learn?': ['loss'],
  'What else is measured?': [],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Question = keyof typeof QUESTIONS;
export const QUESTION_NAMES = Object.keys(QUESTIONS) as Question[];

/** Columns that answer another question than the rest of their table. */
const NOISY = /^(rho|noise_|running_rho|learning_rate_over)/;

/** What has a colour of its own everywhere. */
const COLORS: Readonly<Record<string, string>> = {
  lambda_1: '--lambda',
  ias: '--ias',
  ias_gd: '--ias',
  rho: '--rho',
  batch_sharpness: '--batch-sharpness',
  interaction: '--interaction',
};
const OTHERS = ['--lambda', '--ias', '--rho', '--batch-sharpness', '--interaction', '--orange'];
/** Beside the colour: lines stay apart in grey. */
const DASHES: readonly (readonly number[])[] = [[], [8, 2], [3, 2], [8, 2, 2, 2], [5, 2], [2, 2]];
/** How the k-th of several lines looks. */
export const lineStyle = (k: number): Pick<SeriesPlan, 'color' | 'dash'> => ({
  color: OTHERS[k % OTHERS.length]!,
  dash: DASHES[Math.floor(k / OTHERS.length) % DASHES.length]!,
});

function questionOf({ declaration }: PlannedTable, column: string): Question {
  const found = QUESTION_NAMES.find((name) => (QUESTIONS[name] as readonly string[]).includes(declaration.name));
  if (found === undefined) return 'What else is measured?';
  return found === 'Is it stable?' && NOISY.test(column) ? 'Is the batch noisy?' : found;
}

/** Whether the rows of a table lie along something else than steps: a slice, a spectrum, a plane. */
export const isSnapshot = ({ key, columns }: Table): boolean =>
  !key.includes('step') || key.some((name) => columns[name]?.type === 'float64');

/**
 * All panels of a run. The columns' declarations decide what shares one: those of one `scale`, references dashed,
 * errors as bands. First come λ₁ and ‖H‖ with the edge, the loss, the accuracy, from whichever tables have them.
 */
export function panelPlans(run: WatchedRun, tables: readonly PlannedTable[]): PanelPlan[] {
  const along = tables.filter(({ declaration }) => !isSnapshot(declaration));
  const first = firstPlans(run, along);
  const rest = along.flatMap((table) =>
    framesToShow(table).map(
      ({ measured: names, references }): PanelPlan => ({
        id: `${table.id}-${names[0]}`,
        title: names.length === 1 ? titleOf(table.declaration, names[0]!) : listed(table.declaration, names),
        question: questionOf(table, names[0]!),
        series: seriesOf(run.id, table, names, references),
        isFirst: false,
        scale: null,
        description: `${table.name}: ${names.map((name) => table.declaration.columns[name]!.description).join(' ')}`,
        note: leftOut(table, names),
      }),
    ),
  );
  // What two tables measure says of which it is.
  const titles = Map.groupBy(rest, ({ title }) => title);
  const named = rest.map((plan) => {
    const table = along.find(({ id }) => id === plan.series[0]!.table)!;
    return titles.get(plan.title)!.length > 1 ? { ...plan, title: `${plan.title} (${table.name})` } : plan;
  });
  return [...first, ...named];
}

/** How many lines of a frame there is no room for, in a sentence each. */
function leftOut({ declaration, groups, places }: PlannedTable, names: readonly string[]): string {
  const keys = Object.keys(groups[0] ?? {}).map((name) => symbolOf(declaration, name));
  const counts = [
    [groups.length, `values of ${keys.join(', ')}`] as const,
    ...names.map((name) => [places[name] ?? 1, `places of ${symbolOf(declaration, name)}`] as const),
  ];
  return counts
    .filter(([count]) => count > MOST_SERIES)
    .map(([count, what]) => `${MOST_SERIES} of ${count} ${what} are drawn.`)
    .join(' ');
}

/** Several columns by their symbols. */
const listed = (table: Table, names: readonly string[]) => names.map((name) => symbolOf(table, name)).join(', ');

/** What the first view asks of a table: of one of these names, the column. */
type Wish = readonly [column: string, tables: readonly string[]];

/**
 * The panels of the first view. ‖H‖_{S_n} is that of the full batch; with batches of b it is tr(HS_b)/tr(S_n) that is
 * held against the same edge.
 */
function firstPlans(run: WatchedRun, tables: readonly PlannedTable[]): PanelPlan[] {
  const source = run.source as { batchSize?: number; objective?: { n?: number } } | null;
  const n = source?.objective?.n;
  const b = source?.batchSize;
  const find = ([column, names]: Wish, of?: (group: PlannedTable['groups'][number]) => boolean): SeriesPlan[] => {
    for (const name of names) {
      const table = tables.find(({ declaration }) => declaration.name === name && column in declaration.columns);
      const groups = table?.groups.filter((group) => of === undefined || !('batch_size' in group) || of(group)) ?? [];
      if (table === undefined || groups.length === 0) continue;
      const isReference = table.declaration.columns[column]!.isReference ?? false;
      const found = seriesOf(run.id, { ...table, groups }, isReference ? [] : [column], isReference ? [column] : []);
      return found.slice(0, 1);
    }
    return [];
  };
  const isFull = ({ batch_size }: PlannedTable['groups'][number]) => batch_size === n;
  const isOwn = ({ batch_size }: PlannedTable['groups'][number]) => batch_size === b;
  const full = find(['ias', ['sharpness']], isFull).map((series) => ({
    ...series,
    label: '‖H‖_{S_n}',
    short: '‖H‖_{S_n}',
  }));
  const plans: PanelPlan[] = [
    {
      id: 'first-sharpness',
      title: 'λ₁ and ‖H‖ with the edge',
      question: 'Is it stable?',
      series: [
        ...find(['lambda_1', ['eigenvalues', 'edge']]),
        ...(full.length > 0 ? full : find(['ias_gd', ['edge']])),
        ...(b === n ? [] : find(['interaction', ['sharpness', 'edge']], isOwn)),
        ...find(['edge', ['eigenvalues', 'sharpness', 'edge']]),
      ],
      isFirst: true,
      // What matters is how far above or below the edge.
      scale: 'linear',
      description: 'The sharpness λ₁ and the interaction-aware sharpness ‖H‖, held against the edge of stability.',
      note: '',
    },
    {
      id: 'first-loss',
      title: 'loss',
      question: 'Does it learn?',
      series: [...find(['loss', ['loss']]), ...apart(find(['test_loss', ['loss']]))],
      isFirst: true,
      scale: null,
      description: 'Mean loss over the training examples, and over the test set where that is measured.',
      note: '',
    },
    {
      id: 'first-accuracy',
      title: 'accuracy',
      question: 'Does it learn?',
      series: [...find(['accuracy', ['loss']]), ...apart(find(['test_accuracy', ['loss']]))],
      isFirst: true,
      scale: null,
      description: 'Share of the examples classified rightly.',
      note: '',
    },
  ];
  return plans.filter(({ series }) => series.some(({ isReference }) => !isReference));
}

/** What stands beside a line of the same kind looks otherwise. */
const apart = (series: readonly SeriesPlan[]): SeriesPlan[] =>
  series.map((plan) => ({ ...plan, color: OTHERS[1]!, dash: DASHES[1]! }));

/** Columns by frame; where all are references these are what is shown. */
function framesToShow({ declaration }: PlannedTable): readonly Frame[] {
  const { columns, key } = declaration;
  const counted = Object.keys(columns).filter(
    (name) => columns[name]!.type === 'int32' && !columns[name]!.list && !key.includes(name),
  );
  return framesOf(declaration, [...measuredColumns(declaration), ...counted]).map((frame) =>
    frame.measured.length > 0 ? frame : { measured: frame.references, references: [] },
  );
}

function seriesOf(
  run: string,
  table: PlannedTable,
  names: readonly string[],
  references: readonly string[],
): SeriesPlan[] {
  const { declaration, groups, places } = table;
  const chosen = spread(groups.length > 0 ? groups : [{}], MOST_SERIES);
  const planOf = (column: string, of: PointsPlan['of'], place: number | null) => ({
    run,
    table: table.id,
    column,
    of,
    place,
    error: place === null ? (errorOf(declaration, column) ?? null) : null,
    draws: 'draws' in declaration.columns ? 'draws' : null,
    isName: false,
  });
  let next = 0;
  const measured = names.flatMap((column) => {
    const { list } = declaration.columns[column]!;
    const count = list ? Math.min(MOST_SERIES, places[column] ?? 1) : 1;
    return chosen.flatMap((of, g) =>
      Array.from({ length: count }, (_, place): SeriesPlan => {
        const k = next++;
        const many = chosen.length > 1 || count > 1;
        const own = many && (g > 0 || place > 0) ? undefined : COLORS[column];
        const group =
          chosen.length > 1
            ? Object.entries(of).map(([name, value]) => `${symbolOf(declaration, name)} = ${value}`)
            : [];
        const symbol = list ? listSymbol(symbolOf(declaration, column), place) : symbolOf(declaration, column);
        return {
          ...planOf(column, of, list ? place : null),
          label: [symbol, ...group].join(', '),
          short: group.length > 0 ? group.join(', ') : symbol,
          isReference: false,
          color: own ?? OTHERS[k % OTHERS.length]!,
          dash: own === undefined ? DASHES[(k + Math.floor(k / OTHERS.length)) % DASHES.length]! : [],
        };
      }),
    );
  });
  const held = references.map(
    (column, k): SeriesPlan => ({
      ...planOf(column, chosen[0]!, null),
      label: `${wordsOf(column)} ${symbolOf(declaration, column)}`,
      short: wordsOf(column),
      isReference: true,
      color: '--text',
      dash: REFERENCE_DASHES[k % REFERENCE_DASHES.length]!,
    }),
  );
  // Bounds that differ from group to group belong to theirs.
  const groupwise = chosen.length > 1 ? references.filter((name) => name === 'bound') : [];
  const more = groupwise.flatMap((column) =>
    chosen.slice(1).map(
      (of, g): SeriesPlan => ({
        ...planOf(column, of, null),
        label: `${symbolOf(declaration, column)}, ${Object.values(of).join(', ')}`,
        short: '',
        isReference: true,
        color: OTHERS[(g + 1) % OTHERS.length]!,
        dash: REFERENCE_DASHES[0]!,
      }),
    ),
  );
  return [...measured, ...held, ...more];
}

/** λ₁…λ_k, of which the first is λ₁. */
const listSymbol = (symbol: string, place: number): string =>
  symbol.startsWith('λ₁') ? `λ${subscript(place + 1)}` : `${symbol}, no. ${place + 1}`;

/** The columns that a plan reads. */
export function columnsOf({ column, error, draws, of }: PointsPlan): string[] {
  return [column, ...(error === null ? [] : [error]), ...(draws === null ? [] : [draws]), ...Object.keys(of)];
}
