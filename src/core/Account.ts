import type { Cost } from './Cost.ts';

/**
 * What measurements cost whoever has them made: passes over the data, and time.
 *
 * Work is booked to who had it done. An answer that another one has computed at the point costs nothing; one that
 * another one is computing, or a pass that waits for another's to end, takes no time of one's own. So accounts of
 * probes that are at work at once don't count anything twice, but for moments in which one's computing beside the
 * passes keeps the other from going on.
 */
export class Account {
  readonly cost: Cost = { forwards: 0, gradients: 0, products: 0 };
  #measurements = 0;
  #questions = 0;
  #passes = 0;
  #milliseconds = 0;
  #since: number | null = null;

  /** The time in which a measurement was at work: a pass of its own, or what it computes beside them. */
  get seconds(): number {
    return (this.#milliseconds + (this.#since === null ? 0 : performance.now() - this.#since)) / 1000;
  }

  /** A measurement, from its beginning to its end. */
  measuring<T>(measurement: () => Promise<T>): Promise<T> {
    return this.#during((by) => {
      this.#measurements += by;
    }, measurement);
  }

  /** A question to a point: time that passes until it is answered is only counted in passes of one's own. */
  asking<T>(question: () => Promise<T>): Promise<T> {
    return this.#during((by) => {
      this.#questions += by;
    }, question);
  }

  /** A pass over the data, which counts once it has succeeded. */
  async passing<T>(kind: keyof Cost, passes: number, pass: () => Promise<T>): Promise<T> {
    const result = await this.#during((by) => {
      this.#passes += by;
    }, pass);
    this.cost[kind] += passes;
    return result;
  }

  async #during<T>(count: (by: 1 | -1) => void, work: () => Promise<T>): Promise<T> {
    count(1);
    this.#look();
    try {
      return await work();
    } finally {
      count(-1);
      this.#look();
    }
  }

  /** Lets the clock go, or stops it. */
  #look(): void {
    const isAtWork = this.#measurements > 0 && (this.#questions === 0 || this.#passes > 0);
    if (isAtWork === (this.#since !== null)) return;
    if (this.#since === null) this.#since = performance.now();
    else {
      this.#milliseconds += performance.now() - this.#since;
      this.#since = null;
    }
  }
}
