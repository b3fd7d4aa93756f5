import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Account } from '../../src/core/Account.ts';
import { regression } from '../helpers/regression.ts';
import { watchPasses } from '../helpers/watchPasses.ts';

const never = new AbortController().signal;
const vector = (k: number) => Float32Array.from({ length: 5 }, (_, i) => (i === k ? 1 : 0));

it('passes are booked to who had them made first, and to nobody else', async () => {
  const objective = regression();
  const point = objective.at(objective.initialWeights(0));
  const [first, second] = [new Account(), new Account()];
  const [mine, other] = [point.until(never, first), point.until(never, second)];
  await Promise.all([mine.gradient(), other.gradient()]);
  await mine.hessianVector(vector(0));
  const v = vector(1);
  await Promise.all([other.hessianVector(v), mine.hessianVector(v)]);
  await other.batchGradient(Int32Array.of(0, 1, 2));
  await point.hessianVector(vector(2));
  expect(first.cost).toEqual({ forwards: 0, gradients: 1, products: 1 });
  expect(second.cost).toEqual({ forwards: 0, gradients: 3 / objective.exampleCount, products: 1 });
  expect(objective.cost).toEqual({ forwards: 0, gradients: 1 + 3 / objective.exampleCount, products: 3 });
});

it('points that are made from a point, and what is computed once under a key, are booked too', async () => {
  const objective = regression();
  const [first, second] = [new Account(), new Account()];
  const point = objective.at(objective.initialWeights(0));
  const [mine, other] = [point.until(never, first), point.until(never).until(never, second)];
  await mine.moved(vector(0), 0.1).loss();
  const compute = (asked: typeof mine) => asked.memo(['both'], () => asked.hessianVector(vector(3)));
  await Promise.all([compute(other), compute(mine)]);
  expect(first.cost).toEqual({ forwards: 1, gradients: 0, products: 0 });
  expect(second.cost).toEqual({ forwards: 0, gradients: 0, products: 1 });
});

it('a pass that fails costs nothing', async () => {
  const objective = watchPasses(regression(), () => Promise.reject(new Error('no')));
  const account = new Account();
  await expect(objective.at(new Float32Array(5)).until(never, account).gradient()).rejects.toThrow('no');
  expect(account.cost.gradients).toBe(0);
});

describe('time', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());
  const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  /** L at θ_0, each pass over which takes 20 ms. */
  const slow = () => watchPasses(regression(), () => sleep(20)).at(regression().initialWeights(0));

  it('in which a measurement waits for others is none of its own, nor is that of their passes', async () => {
    const point = slow();
    const peers: Account[] = [];
    const [busy, quick] = [new Account(peers), new Account(peers)];
    const both = Promise.all([
      busy.measuring(async () => {
        const mine = point.until(never, busy);
        await Promise.all([0, 1, 2, 3, 4].map((k) => mine.hessianVector(vector(k))));
        await sleep(100);
        await mine.hessianVector(vector(0)); // while the other one computes
      }),
      quick.measuring(async () => {
        await point.until(never, quick).gradient(); // behind five products
        await sleep(90); // computing beside the passes
      }),
    ]);
    await vi.advanceTimersByTimeAsync(50);
    expect(busy.seconds).toBeCloseTo(0.05, 9);
    expect(quick.seconds).toBe(0);
    await vi.advanceTimersByTimeAsync(950);
    await both;
    // Products until .1, the other's gradient until .12, own computing until .2, a product until .22.
    expect(busy.seconds).toBeCloseTo(0.1 + 0.08 + 0.02, 9);
    // The gradient, and computing until .21 but for the other's product, which begins at .2.
    expect(quick.seconds).toBeCloseTo(0.02 + 0.08, 9);
  });

  it('in which another one computes the answer is none of the one who waits', async () => {
    const point = slow();
    const peers: Account[] = [];
    const [first, second] = [new Account(peers), new Account(peers)];
    const ask = (account: Account) =>
      account.measuring(async () => {
        const asked = point.until(never, account);
        await asked.memo(['search'], async () => {
          for (let k = 0; k < 3; k++) {
            await asked.hessianVector(vector(k));
            await sleep(5);
          }
        });
      });
    const both = Promise.all([ask(first), ask(second)]);
    await vi.advanceTimersByTimeAsync(1000);
    await both;
    expect(first.seconds).toBeCloseTo(0.075, 9);
    expect(second.seconds).toBe(0);
    expect([first.cost.products, second.cost.products]).toEqual([3, 0]);
  });

  it('of two measurements at once that have one account counts once', async () => {
    const point = slow();
    const account = new Account();
    const ask = (k: number) => account.measuring(() => point.until(never, account).hessianVector(vector(k)));
    const both = Promise.all([ask(0), ask(1)]);
    await vi.advanceTimersByTimeAsync(1000);
    await both;
    expect(account.seconds).toBeCloseTo(0.04, 9);
  });

  it('ends with a measurement that fails', async () => {
    const account = new Account();
    const failed = account.measuring(async () => {
      await sleep(10);
      throw new Error('no');
    });
    const caught = expect(failed).rejects.toThrow('no');
    await vi.advanceTimersByTimeAsync(100);
    await caught;
    expect(account.seconds).toBeCloseTo(0.01, 9);
  });
});
