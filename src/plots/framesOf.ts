import type { Table } from '../core/Table.ts';

/** Columns that share a frame. */
export interface Frame {
  readonly measured: readonly string[];
  /** What is held against them: edges, bounds, predictions. None is measured where a table has them alone. */
  readonly references: readonly string[];
}

/**
 * Columns by frame, for every picture of a table, on paper or live: those of one scale together, with the references of
 * that scale; by itself a column of lists, and one that has too many lines for company.
 *
 * @param names The columns to be drawn.
 * @param hasMany Whether a column has many lines.
 */
export function framesOf(
  { columns }: Table,
  names: readonly string[],
  hasMany: (name: string) => boolean = () => false,
): Frame[] {
  const scales = Map.groupBy(names, (name) => columns[name]!.scale ?? `only ${name}`);
  return [...scales.values()].flatMap((all) => {
    const references = all.filter((name) => columns[name]!.isReference);
    const measured = all.filter((name) => !columns[name]!.isReference);
    const alone = measured.filter((name) => hasMany(name) || columns[name]!.list);
    const shared = measured.filter((name) => !alone.includes(name));
    return [
      ...(shared.length > 0 || measured.length === 0 ? [{ measured: shared, references }] : []),
      ...alone.map((name) => ({ measured: [name], references })),
    ];
  });
}
