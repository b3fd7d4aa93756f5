import { expect, it } from 'vitest';
import { Content } from '../../src/core/Content.ts';
import { generator, normals, signs } from '../../src/linalg/random.ts';

/** How often an array of `length` that is filled anew passes for what stood in it before. */
function mistaken(length: number, rounds: number, fill: (round: number, vector: Float32Array) => void): number {
  const vector = new Float32Array(length);
  let [wrong, before] = [0, new Content(vector)];
  let last = `${vector}`;
  for (let round = 0; round < rounds; round++) {
    fill(round, vector);
    if (`${vector}` !== last && before.isIn(vector)) wrong++;
    [before, last] = [new Content(vector), `${vector}`];
  }
  return wrong;
}

it.each([1, 3, 4, 8, 16, 33, 100])('numbers of which signs alone have changed are others (%i of them)', (length) => {
  const turned = (_: number, vector: Float32Array) => vector.set(vector.map((x) => -x || 1.5));
  expect(mistaken(length, 20, turned)).toBe(0);
  const drawn = (round: number, vector: Float32Array) => vector.set(signs(generator(1, round), length));
  expect(mistaken(length, 2000, drawn)).toBe(0);
});

it('so are those of which few bits have changed, or that have changed places', () => {
  const numbers = Float32Array.from(normals(generator(2), 40));
  const content = new Content(numbers);
  expect(content.isIn(numbers.slice())).toBe(true);
  const words = new Uint32Array(numbers.buffer);
  for (let i = 0; i < 40; i++) {
    for (let bit = 0; bit < 32; bit++) {
      words[i]! ^= 2 ** bit;
      for (const j of [i + 1, i + 4, i + 8]) {
        words[j % 40]! ^= 2 ** bit;
        expect(content.isIn(numbers)).toBe(false);
        words[j % 40]! ^= 2 ** bit;
      }
      expect(content.isIn(numbers)).toBe(false);
      words[i]! ^= 2 ** bit;
    }
  }
  for (const by of [1, 4, 8, 20]) {
    expect(content.isIn(Float32Array.from(numbers, (_, k) => numbers[(k + by) % 40]!))).toBe(false);
  }
  expect(content.isIn(numbers)).toBe(true);
  const small = new Content(Float32Array.of(1, 2, 4, 8));
  for (const other of [
    [2, 1, 4, 8],
    [8, 4, 2, 1],
    [2, 4, 8, 16],
    [1, 2, 4],
    [1, 2, 4, 8, 0],
  ]) {
    expect(small.isIn(Float32Array.from(other))).toBe(false);
  }
});
