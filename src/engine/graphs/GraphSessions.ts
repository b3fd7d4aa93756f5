import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NativeBinding } from './NativeBackend.ts';

/** Sessions that are alive at once: each holds its graph, and what TensorFlow has made of it. */
const MOST = 64;
/** A folder that a process of this number writes a graph to, for a moment. */
const FOLDER = /^brink-graph-(\d+)-/;

/** A graph that TensorFlow can be asked to load. */
export interface LoadableGraph {
  /** SHA-256 of the graph: two objectives with the same network and shapes share what is loaded. */
  readonly key: string;
  readonly bytes: Uint8Array;
}

export function loadable(bytes: Uint8Array): LoadableGraph {
  return { key: createHash('sha256').update(bytes).digest('hex'), bytes };
}

/**
 * The sessions of a process, one a graph: loaded when they are asked for, and the one that was not asked for longest
 * is deleted when there are too many.
 */
export class GraphSessions {
  readonly #binding: NativeBinding;
  readonly #most: number;
  /** In the order in which they were asked for. */
  readonly #sessions = new Map<string, number>();
  #swept = false;

  constructor(binding: NativeBinding, most = MOST) {
    this.#binding = binding;
    this.#most = most;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** The number by which TensorFlow knows the graph's session. */
  of(graph: LoadableGraph): number {
    const session = this.#sessions.get(graph.key) ?? this.#load(graph);
    this.#sessions.delete(graph.key);
    this.#sessions.set(graph.key, session);
    for (const [key, other] of this.#sessions) {
      if (this.#sessions.size <= this.#most) break;
      this.#binding.deleteSavedModel(other);
      this.#sessions.delete(key);
    }
    return session;
  }

  /** TensorFlow reads a graph from a folder alone; it is gone as soon as it has been read. */
  #load({ bytes }: LoadableGraph): number {
    if (!this.#swept) sweep();
    this.#swept = true;
    const folder = mkdtempSync(join(tmpdir(), `brink-graph-${process.pid}-`));
    try {
      mkdirSync(join(folder, 'variables'));
      writeFileSync(join(folder, 'saved_model.pb'), bytes);
      return this.#binding.loadSavedModel(folder, 'serve');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** Removes what processes have left that were killed while they wrote a graph. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(FOLDER.exec(name)?.[1] ?? process.pid);
    if (pid === process.pid || isAlive(pid)) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
