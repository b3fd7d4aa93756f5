import fc from 'fast-check';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { openStep, type Step } from '../../src/core/Step.ts';
import { throttleBudget } from '../../src/operators/throttleBudget.ts';
import { stepAt } from '../helpers/stepAt.ts';

/**
 * A source that takes `training` ms a step and waits for a probe that takes `probe(k)` ms, on a clock that only they
 * move.
 */
async function simulate(share: number, steps: number, training: number, probe: (k: number) => number) {
  let time = 1000;
  let used = 0;
  const probed: number[] = [];
  const source = new Subject<Step>();
  source.pipe(throttleBudget(share, { now: () => time })).subscribe((step) => {
    const work = Promise.withResolvers<void>();
    step.waitUntil(work.promise);
    setTurn(() => {
      const cost = probe(probed.length);
      time += cost;
      used += cost;
      probed.push(step.index);
      work.resolve();
    });
  });
  for (let index = 0; index < steps; index++) {
    const { step, settled } = openStep(stepAt(new Float32Array(1), { index }));
    source.next(step);
    await settled();
    time += training;
  }
  return { used, elapsed: time - 1000, probed };
}

const setTurn = (body: () => void) => void Promise.resolve().then(body);

describe('throttleBudget', () => {
  it('keeps the probes at most at their share of the time, and one probe more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }),
        async (share, training, costs) => {
          const { used, elapsed, probed } = await simulate(share, 150, training, (k) => costs[k % costs.length]!);
          expect(probed[0]).toBe(0);
          expect(used).toBeLessThanOrEqual(share * elapsed + Math.max(...costs));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('converges to its share over a long run', async () => {
    const { used, elapsed, probed } = await simulate(0.1, 5000, 10, () => 35);
    expect(used / elapsed).toBeLessThanOrEqual(0.1 + 35 / elapsed);
    expect(used / elapsed).toBeGreaterThan(0.1 - (35 + 10) / elapsed);
    expect(probed.length).toBeGreaterThan(100);
  });

  it('passes every step where the probes stay below their share', async () => {
    expect((await simulate(0.5, 50, 10, () => 1)).probed).toHaveLength(50);
  });

  it('counts the time of two probes that run at once only once, and the work of the emission itself', async () => {
    let time = 0;
    const source = new Subject<Step>();
    const passed: number[] = [];
    const ends: (() => void)[] = [];
    source.pipe(throttleBudget(0.5, { now: () => time })).subscribe((step) => {
      passed.push(step.index);
      if (step.index > 0) return;
      time += 5;
      for (let k = 0; k < 2; k++) step.waitUntil(new Promise<void>((resolve) => ends.push(resolve)));
    });
    const next = (index: number) => source.next(stepAt(new Float32Array(1), { index }));
    next(0);
    time += 10;
    for (const end of ends) end();
    await new Promise(setImmediate);
    time = 29; // 15 of 29 ms were busy
    next(1);
    time = 30;
    next(2);
    expect(passed).toEqual([0, 2]);
  });

  it('hands what is registered on to the source', async () => {
    const source = new Subject<Step>();
    const gate = Promise.withResolvers<void>();
    source.pipe(throttleBudget(1)).subscribe((step) => step.waitUntil(gate.promise));
    const { step, settled } = openStep(stepAt(new Float32Array(1)));
    source.next(step);
    let isSettled = false;
    const waiting = settled().then(() => {
      isSettled = true;
    });
    await new Promise(setImmediate);
    expect(isSettled).toBe(false);
    gate.reject(new Error('reported by its maker'));
    await waiting;
  });

  it('refuses a share outside (0, 1]', () => {
    for (const share of [0, -0.1, 1.1, Number.NaN]) expect(() => throttleBudget(share)).toThrow(`share is ${share}`);
  });
});
