import type { Cost } from './Cost.ts';

/**
 * What measurements cost whoever has them made: passes over the data, and time.
 *
 * Work is booked to who had it done. An answer that another one has computed at the point costs nothing, and waiting
 * for another one's answer or pass takes no time of one's own. So accounts that know each other count nothing twice
 * of measurements that are at work at once; what one computes beside its passes while another's pass runs is not
 * counted.
 */
export class Account {
  readonly cost: Cost = { forwards: 0, gradients: 0, products: 0 };
  #measurements = 0;
  #questions = 0;
  #passes = 0;
  #milliseconds = 0;
  #since: number | null = null;
  readonly #peers: Account[];

  /** @param peers The accounts of the same run, to which this one is added. */
  constructor(peers: Account[] = []) {
    this.#peers = peers;
    peers.push(this);
  }

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
      for (const peer of this.#peers) peer.#look();
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
    const isFree = () => this.#questions === 0 && this.#peers.every((peer) => peer === this || peer.#passes === 0);
    const isAtWork = this.#measurements > 0 && (this.#passes > 0 || isFree());
    if (isAtWork === (this.#since !== null)) return;
    if (this.#since === null) this.#since = performance.now();
    else {
      this.#milliseconds += performance.now() - this.#since;
      this.#since = null;
    }
  }
}
