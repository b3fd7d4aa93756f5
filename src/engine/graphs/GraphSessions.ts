import { createHash } from 'node:crypto';
import type { GraphAddon, Session } from './GraphAddon.ts';
import { NotRecordable } from './NotRecordable.ts';

/** Sessions that are alive at once: each holds its graph, and what TensorFlow has made of it. */
const MOST = 64;

/** A graph that TensorFlow can be asked to load. */
export interface LoadableGraph {
  /** SHA-256 of the graph: two objectives with the same network and shapes share what is loaded. */
  readonly key: string;
  readonly bytes: Uint8Array;
  /** The tensors that it takes and gives. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export function loadable(bytes: Uint8Array, inputs: readonly string[], outputs: readonly string[]): LoadableGraph {
  const key = createHash('sha256')
    .update(bytes)
    .update(JSON.stringify([inputs, outputs]))
    .digest('hex');
  return { key, bytes, inputs, outputs };
}

/**
 * The sessions of a process, one a graph: loaded when they are asked for, and the one that was not asked for longest
 * is closed when there are too many.
 */
export class GraphSessions {
  readonly addon: GraphAddon;
  readonly #settings: Uint8Array;
  readonly #most: number;
  /** In the order in which they were asked for. */
  readonly #sessions = new Map<string, Session>();

  /** @param settings Of every session, a ConfigProto. */
  constructor(addon: GraphAddon, settings = new Uint8Array(), most = MOST) {
    this.addon = addon;
    this.#settings = settings;
    this.#most = most;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /**
   * The session of a graph.
   *
   * @throws NotRecordable where TensorFlow does not take the graph.
   */
  of(graph: LoadableGraph): Session {
    const session = this.#sessions.get(graph.key) ?? this.#load(graph);
    this.#sessions.delete(graph.key);
    this.#sessions.set(graph.key, session);
    for (const [key, other] of this.#sessions) {
      if (this.#sessions.size <= this.#most) break;
      this.addon.close(other);
      this.#sessions.delete(key);
    }
    return session;
  }

  #load({ bytes, inputs, outputs }: LoadableGraph): Session {
    try {
      return this.addon.load(bytes, inputs, outputs, this.#settings);
    } catch (error) {
      const [reason] = (error as Error).message.split('\n');
      throw new NotRecordable(`TensorFlow does not take its graph (${reason})`);
    }
  }
}
