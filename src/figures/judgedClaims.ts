import { defineTable, float64, int32, nullable, type Row, utf8 } from '../core/Table.ts';
import { betweenSeeds } from '../statistics/betweenSeeds.ts';
import type { Estimate } from '../statistics/Estimate.ts';
import { judge } from '../statistics/judge.ts';
import type { Claim } from './figure.ts';
import type { MadeRuns } from './MadeRuns.ts';
import { shortOf } from './report/markup.ts';

/** What became of the claims of figures. */
export const claimsTable = defineTable({
  name: 'claims',
  description: 'A claim of a figure: what was measured, the region in which it holds, and the verdict.',
  key: ['figure', 'scale', 'claim'],
  columns: {
    figure: utf8({ symbol: '', description: 'The figure.' }),
    claim: utf8({ symbol: '', description: 'The claim, by its short name.' }),
    scale: utf8({ symbol: '', description: 'The preset: smoke, laptop, paper or another of the figure.' }),
    says: utf8({ symbol: '', description: 'The claim in words.' }),
    where: utf8({ symbol: '', description: 'Where the paper makes it.' }),
    how: utf8({ symbol: '', description: 'How it is measured.' }),
    value: nullable(float64({ symbol: '', description: 'What was measured; null where it could not be.' })),
    low: nullable(float64({ symbol: '', description: 'Lower end of the 95 % interval.' })),
    high: nullable(float64({ symbol: '', description: 'Upper end of the 95 % interval.' })),
    method: utf8({ symbol: '', description: 'Where the interval comes from.' }),
    region_low: nullable(float64({ symbol: '', description: 'The claim holds from here; null: no bound.' })),
    region_high: nullable(float64({ symbol: '', description: 'The claim holds up to here; null: no bound.' })),
    region_why: utf8({ symbol: '', description: 'Why these bounds.' }),
    verdict: utf8({ symbol: '', description: 'holds, does not hold, or not decidable.' }),
    seeds: int32({ symbol: '', description: 'Seeds that were run.' }),
    size: int32({ symbol: '', description: 'Numbers that the value rests on.' }),
    effective_size: nullable(float64({ symbol: '', description: 'Independent numbers that they are worth.' })),
    reason: utf8({ symbol: '', description: 'Why the verdict is what it is, and what would decide an open one.' }),
  },
});

/** A row of the table of claims. */
export interface ClaimsRow extends Row<typeof claimsTable> {}

/**
 * Measures a claim on the runs of every seed, and judges it by its rule.
 *
 * With one seed the interval is that of the run. With several, the value is the mean over seeds and the interval
 * Student's between them: then it speaks of training from another seed too. Where all seeds have one value, nothing is
 * known of how they differ, and the interval is the widest of their own.
 */
export function judgedClaim(figure: string, scale: string, claim: Claim, seeds: readonly MadeRuns[]): ClaimsRow {
  const measured = seeds.map((runs) => claim.measure(runs));
  const estimates = measured.filter((m): m is Estimate => typeof m !== 'string' && Number.isFinite(m.value));
  const missing = measured.flatMap((m, i) => {
    if (typeof m === 'string') return [seeds.length > 1 ? `seed ${seeds[i]!.seed}: ${m}` : m];
    return Number.isFinite(m.value) ? [] : [`the value is ${m.value}`];
  });
  const estimate = missing.length > 0 ? null : combined(estimates);
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY, why } = claim.region;
  const verdict = judge(estimate, { low, high });
  return {
    figure,
    claim: claim.id,
    scale,
    says: claim.says,
    where: claim.where,
    how: claim.how,
    value: estimate?.value ?? null,
    low: estimate?.low ?? null,
    high: estimate?.high ?? null,
    method: estimate?.method ?? '',
    region_low: claim.region.low ?? null,
    region_high: claim.region.high ?? null,
    region_why: why,
    verdict,
    seeds: seeds.length,
    size: estimate?.size ?? 0,
    effective_size: estimate?.effectiveSize ?? null,
    reason: estimate === null ? `Not measured: ${missing.join('; ')}.` : reasonFor(estimate, { low, high }),
  };
}

function combined(estimates: readonly Estimate[]): Estimate {
  if (estimates.length === 1) return estimates[0]!;
  const between = betweenSeeds(estimates.map(({ value }) => value));
  if (estimates.some(({ value }) => value !== estimates[0]!.value)) return between;
  // A share of 1 in every seed has no spread between them, and yet is not known for certain.
  return {
    ...between,
    low: Math.min(...estimates.map(({ low }) => low)),
    high: Math.max(...estimates.map(({ high }) => high)),
    method: `widest of the ${estimates.length} seeds' own, whose values are the same`,
  };
}

interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** Why the verdict is what it is; of an open one, what would decide it. */
function reasonFor(estimate: Estimate, region: Bounds): string {
  const interval = `The interval from ${short(estimate.low)} to ${short(estimate.high)}`;
  if (!Number.isFinite(estimate.low + estimate.high)) {
    return `There is no interval: ${estimate.size} numbers are too few, or not independent enough. A longer run, or more seeds, would give one.`;
  }
  switch (judge(estimate, region)) {
    case 'holds':
      return `${interval} lies within the region.`;
    case 'does not hold':
      return `${interval} lies outside the region.`;
    default: {
      const crossed = [region.low, region.high].filter((bound) => bound >= estimate.low && bound <= estimate.high);
      const nearest = Math.min(...crossed.map((bound) => Math.abs(bound - estimate.value)));
      const width = (estimate.high - estimate.low) / 2;
      const times = (width / nearest) ** 2;
      const more =
        times < MOST_TIMES
          ? `About ${short(Math.max(times, 1.1))} times as many independent numbers would decide it, if the value stays.`
          : 'The value lies on the bound, or so near that more of the same would hardly decide it.';
      return `${interval} reaches across ${crossed.map(short).join(' and ')}. ${more}`;
    }
  }
}

/** More than so many times as many numbers nobody measures. */
const MOST_TIMES = 1000;

/** A number as a sentence has it. */
const short = (x: number) => `${shortOf(x, 3)}`;
