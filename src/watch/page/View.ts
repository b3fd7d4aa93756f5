/** What all panels share: which steps they show, and where the cursor is. */
export class View {
  /** The steps that there are. */
  #all: readonly [number, number] = [0, 1];
  /** Those shown, where somebody has chosen; else all. */
  #chosen: readonly [number, number] | null = null;
  /** Whether the newest step stays in sight while somebody has chosen how many are shown. */
  isFollowing = true;
  isLogX = false;
  cursor: number | null = null;
  /** Whether the cursor stays where it is as the pointer moves. */
  isPinned = false;
  readonly #listeners = new Set<(what: 'range' | 'cursor') => void>();

  /** Calls whoever draws when something changes; returns how to stop. */
  listen(listener: (what: 'range' | 'cursor') => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(what: 'range' | 'cursor'): void {
    for (const listener of this.#listeners) listener(what);
  }

  get all(): readonly [number, number] {
    return this.#all;
  }

  /** From where to where is drawn; never of no length. */
  get range(): readonly [number, number] {
    const [from, to] = this.#chosen ?? this.#all;
    const low = this.isLogX ? Math.max(from, 1) : from;
    return to > low ? [low, to] : [low - 0.5, low + 0.5];
  }

  /** Says which steps there are by now. */
  extend(first: number, last: number): void {
    const [, before] = this.#all;
    if (first === this.#all[0] && last === before) return;
    this.#all = [first, last];
    if (this.#chosen && this.isFollowing && this.#chosen[1] >= before) {
      const [from, to] = this.#chosen;
      this.#chosen = [from + last - to, last];
    }
    this.#tell('range');
  }

  choose(from: number, to: number): void {
    const [first, last] = this.#all;
    const low = Math.max(first, Math.min(from, to));
    const high = Math.min(last, Math.max(from, to));
    if (!(high > low)) return;
    this.#chosen = low <= first && high >= last ? null : [low, high];
    this.isFollowing = high >= last;
    this.#tell('range');
  }

  whole(): void {
    this.#chosen = null;
    this.isFollowing = true;
    this.#tell('range');
  }

  /** Makes what is shown so many times as long, around the cursor or the middle. */
  zoom(factor: number): void {
    const [from, to] = this.range;
    const middle = this.cursor !== null && this.cursor >= from && this.cursor <= to ? this.cursor : (from + to) / 2;
    this.choose(middle - (middle - from) * factor, middle + (to - middle) * factor);
  }

  /** Keeps the newest step in sight from now on, or stays where it is, also as steps come. */
  follow(): void {
    this.isFollowing = !this.isFollowing;
    const [first, last] = this.#all;
    const [from, to] = this.#chosen ?? this.#all;
    const shifted = [from + last - to, last] as const;
    if (!this.isFollowing) this.#chosen = [from, to];
    else this.#chosen = shifted[0] > first ? shifted : null;
    this.#tell('range');
  }

  toggleLogX(): void {
    this.isLogX = !this.isLogX;
    this.#tell('range');
  }

  /** Moves the cursor; a step out of sight brings it into sight. */
  point(step: number | null, reveal = false): void {
    if (step === this.cursor) return;
    this.cursor = step;
    if (reveal && step !== null && this.#chosen) {
      const [from, to] = this.#chosen;
      const shift = step < from ? step - from : step > to ? step - to : 0;
      if (shift !== 0) {
        this.#chosen = [from + shift, to + shift];
        this.isFollowing = to + shift >= this.#all[1];
        this.#tell('range');
      }
    }
    this.#tell('cursor');
  }
}
