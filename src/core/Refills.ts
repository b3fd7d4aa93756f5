import { Content } from './Content.ts';

/**
 * Notices memory that is filled anew: a vector that lies where one before it did, with other numbers in it.
 *
 * By a hash of 32 bits, whichever view the vector is of its memory; of two that overlap in part it is not noticed.
 */
export class Refills<Mark> {
  readonly #known = new WeakMap<object, Map<string, { readonly mark: Mark; readonly content: Content }>>();

  /** The mark of the vector that lay there first, where it had other numbers; undefined where all is as it was. */
  before(vector: Float32Array | Float64Array, mark: Mark): Mark | undefined {
    const { buffer, byteOffset, byteLength } = vector;
    const place = `${byteOffset}+${byteLength}`;
    const places = this.#known.get(buffer) ?? new Map();
    this.#known.set(buffer, places);
    const first = places.get(place);
    if (first === undefined) places.set(place, { mark, content: new Content(vector) });
    else if (!first.content.isIn(vector)) return first.mark;
    return undefined;
  }
}
