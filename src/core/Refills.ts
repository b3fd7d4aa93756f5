import { Content } from './Content.ts';

/**
 * Notices memory that is filled anew: a vector that lies where one before it did, with other numbers in it.
 *
 * By a hash of 32 bits, whichever view the vector is of its memory; of two that overlap in part it is not noticed.
 */
export class Refills<Mark> {
  readonly #known = new WeakMap<object, Map<string, { readonly mark: Mark; readonly content: Content }>>();

  /** The mark of the vector that lay there first, where it had other numbers; else what stands in it. */
  before(vector: Float32Array | Float64Array, mark: Mark): { readonly mark: Mark } | Content {
    const { buffer, byteOffset, byteLength } = vector;
    const place = `${byteOffset}+${byteLength}`;
    const places = this.#known.get(buffer) ?? new Map<string, { readonly mark: Mark; readonly content: Content }>();
    this.#known.set(buffer, places);
    const first = places.get(place);
    if (first) return first.content.isIn(vector) ? first.content : first;
    const content = new Content(vector);
    places.set(place, { mark, content });
    return content;
  }
}
