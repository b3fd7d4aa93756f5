import {
  addDoubles,
  and,
  constant,
  type FunctionCode,
  firstDoubles,
  get,
  greater,
  increase,
  lastHalf,
  load,
  repeat,
  set,
  store,
  V128,
  zero,
} from './assembly.ts';

/** Loops over memory that a processor does as fast as it reads. Places and distances are in bytes, counts above 0. */
export interface Passes {
  /** output = values where mask > 0, else 0: so many times four floats. */
  readonly keepPositive: (mask: number, values: number, output: number, fours: number) => void;
  /** Adds to each of four doubles its column of floats. */
  readonly addColumns: (floats: number, rowDistance: number, rows: number, doubles: number) => void;
}

/** The loops as WebAssembly. */
export const passFunctions = (): Record<keyof Passes, FunctionCode> => ({
  keepPositive: keepPositive(),
  addColumns: addColumns(),
});

function keepPositive(): FunctionCode {
  const [mask, values, output, fours] = [0, 1, 2, 3] as const;
  return {
    parameters: 4,
    locals: [],
    body: repeat(fours, [
      ...store(get(output), 0, and(greater(load(get(mask), 0), zero), load(get(values), 0))),
      ...[mask, values, output].flatMap((place) => increase(place, constant(16))),
    ]),
  };
}

function addColumns(): FunctionCode {
  const [floats, rowDistance, rows, doubles, first, last, row] = [0, 1, 2, 3, 4, 5, 6] as const;
  return {
    parameters: 4,
    locals: [V128, V128, V128],
    body: [
      ...set(first, load(get(doubles), 0)),
      ...set(last, load(get(doubles), 16)),
      ...repeat(rows, [
        ...set(row, load(get(floats), 0)),
        ...set(first, addDoubles(get(first), firstDoubles(get(row)))),
        ...set(last, addDoubles(get(last), firstDoubles(lastHalf(get(row))))),
        ...increase(floats, get(rowDistance)),
      ]),
      ...store(get(doubles), 0, get(first)),
      ...store(get(doubles), 16, get(last)),
    ],
  };
}
