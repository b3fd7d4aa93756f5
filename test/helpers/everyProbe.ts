import type { OperatorFunction } from 'rxjs';
import { type CataloguedProbe, probes } from '../../src/catalogue/probes.ts';
import type { Step } from '../../src/core/Step.ts';

export type AnyRow = Readonly<Record<string, unknown>>;
/** Rows of any table, as a probe of any name emits them. */
export type AnyOperator = OperatorFunction<Step, AnyRow>;

/** What tests ask of an option, by its name: those that must be given, and fewer draws and points than the default. */
const ASKED: Readonly<Record<string, unknown>> = {
  batchSizes: [1, 4],
  coordinates: [-1, 0, 1],
  planeEvery: 1,
  draws: 4,
  signDraws: 3,
  points: 5,
  count: 2,
  smallest: 1,
};

/** The options that a probe is asked with: of those by name, the ones that it has. */
export function askedOptions({ declaration }: CataloguedProbe, more: object = {}): Readonly<Record<string, unknown>> {
  const { name: who, options } = declaration;
  const asked: Readonly<Record<string, unknown>> = { ...ASKED, ...more };
  for (const [name, { needed }] of Object.entries(options)) {
    if (needed && asked[name] === undefined) {
      throw new Error(`${who} needs the option ${name}, which tests do not know: name a value in everyProbe.ts.`);
    }
  }
  return Object.fromEntries(Object.entries(asked).filter(([name]) => name in options));
}

/** Every probe of the catalogue by its name, for `it.each`. */
export const everyProbe: readonly (readonly [name: string, probe: CataloguedProbe])[] = Object.entries(probes);

/** A probe as tests ask it: on the objective of its steps, or on another one. */
export const asked = (probe: CataloguedProbe, more: object = {}): AnyOperator =>
  probe({ ...askedOptions(probe, more), ...('on' in more && { on: more.on }) }) as AnyOperator;
