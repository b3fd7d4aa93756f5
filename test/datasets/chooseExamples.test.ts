import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseExamples } from '../../src/datasets/chooseExamples.ts';

/** Up to 40 labels of up to 5 classes, and how many are chosen. */
const choices = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 40 })
  .chain((labels) => fc.record({ labels: fc.constant(labels), count: fc.nat({ max: labels.length }) }));

describe('a balanced subset', () => {
  it('has as many examples as asked for, distinct and in their own order', () => {
    fc.assert(
      fc.property(choices, ({ labels, count }) => {
        const chosen = [...chooseExamples('test', labels, count, 'balanced')];
        expect(chosen).toHaveLength(count);
        expect([...new Set(chosen)].sort((i, j) => i - j)).toEqual(chosen);
        expect(chosen.every((i) => i in labels)).toBe(true);
      }),
    );
  });

  it('leaves a class more than one behind another only where that class has run out, and takes the first of each', () => {
    fc.assert(
      fc.property(choices, ({ labels, count }) => {
        const chosen = [...chooseExamples('test', labels, count, 'balanced')];
        const classes = [0, 1, 2, 3, 4].map((c) => {
          const all = [...labels.keys()].filter((i) => labels[i] === c);
          const own = chosen.filter((i) => labels[i] === c);
          expect(own).toEqual(all.slice(0, own.length));
          return { chosen: own.length, left: all.length - own.length };
        });
        const most = Math.max(...classes.map((c) => c.chosen));
        for (const c of classes) if (c.left > 0) expect(c.chosen).toBeGreaterThanOrEqual(most - 1);
      }),
    );
  });

  it('contains every smaller one', () => {
    fc.assert(
      fc.property(choices, ({ labels, count }) => {
        const larger = new Set(chooseExamples('test', labels, labels.length, 'balanced'));
        const one = new Set(chooseExamples('test', labels, count, 'balanced'));
        const less = chooseExamples('test', labels, Math.floor(count / 2), 'balanced');
        expect([...less].every((i) => one.has(i))).toBe(true);
        expect(larger.size).toBe(labels.length);
      }),
    );
  });
});

it('the first subset is the first examples', () => {
  expect([...chooseExamples('test', [3, 1, 3, 1], 3, 'first')]).toEqual([0, 1, 2]);
});

it.each([
  [5, 'first', 'who: 5 examples are asked for, 4 are there. Ask for at most that many.'],
  [-1, 'first', 'who: the number of examples is -1. It must be an integer of at least 0.'],
  [1.5, 'balanced', 'who: the number of examples is 1.5. It must be an integer of at least 0.'],
  [2, 'random', "who: subset is 'random'. It must be 'first' or 'balanced'."],
] as const)('%d examples of four, subset %s, are refused', (count, subset, message) => {
  expect(() => chooseExamples('who', [0, 1, 0, 1], count, subset as 'first')).toThrow(message);
});
