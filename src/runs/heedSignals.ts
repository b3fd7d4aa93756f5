/** What a shell says of a program that ended by a signal: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof EXIT_CODES;
const SIGNALS = Object.keys(EXIT_CODES) as Signal[];

/**
 * npm passes on the Ctrl-C that the terminal has sent to its child already: what comes so soon, in milliseconds, is
 * the same one.
 */
const SAME = 300;

/** A run that heeds the signals of the process. */
export interface Heeded {
  /** Aborted by the first signal. */
  readonly stopped: AbortSignal;
  /**
   * Called when the run has ended: listens no more, and leaves the process where a signal came and no other run is
   * left.
   */
  release(): void;
}

const runs = new Set<AbortController>();
/** The signals that are listened to here. */
const heard = new Set<Signal>();
let first: { readonly code: number; readonly time: number } | null = null;

/**
 * Listens to SIGINT and SIGTERM for as long as a run lives: the first stops every run of the process, the second ends
 * the process at once.
 *
 * A signal that the program itself listens to is left to it. Nothing is listened to between runs.
 *
 * @param leave What comes after the first signal, once the tables are finished, with the exit code of it.
 */
export function heedSignals(leave: (code: number) => void): Heeded {
  const run = new AbortController();
  if (first) run.abort();
  if (runs.size === 0) {
    for (const signal of SIGNALS) {
      if (process.listenerCount(signal) > 0) continue;
      heard.add(signal);
      process.on(signal, stop);
    }
  }
  runs.add(run);
  return {
    stopped: run.signal,
    release: () => {
      runs.delete(run);
      if (runs.size > 0) return;
      for (const signal of heard) process.off(signal, stop);
      heard.clear();
      if (first) leave(first.code);
    },
  };
}

function stop(signal: Signal): void {
  if (first) {
    if (performance.now() - first.time < SAME) return;
    // A progress bar hides the cursor while it lives.
    if (process.stderr.isTTY) process.stderr.write('\x1b[?25h');
    process.exit(EXIT_CODES[signal]);
  }
  first = { code: EXIT_CODES[signal], time: performance.now() };
  process.stderr.write(`\n${signal}: stopping, and finishing the tables; once more stops at once\n`);
  for (const run of runs) run.abort();
}
