import type { Json } from '../core/Json.ts';

/** Where two values differ, and what stands there. */
export interface Difference {
  /** 'data.train.inputsSha256'. */
  readonly where: string;
  readonly left: Json | undefined;
  readonly right: Json | undefined;
}

/** The first place where two JSON values differ; undefined where they are equal. */
export function firstDifference(left: Json | undefined, right: Json | undefined, where = ''): Difference | undefined {
  if (Object.is(left, right)) return undefined;
  if (!isBranch(left) || !isBranch(right)) return { where, left, right };
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const difference = firstDifference(left[key], right[key], where === '' ? key : `${where}.${key}`);
    if (difference) return difference;
  }
  return undefined;
}

function isBranch(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null;
}

/** A value as an error message shows it. */
export function show(value: Json | undefined): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 100 ? `${text.slice(0, 97)}…` : text;
}
