import cliProgress from 'cli-progress';
import type { Step } from '../core/Step.ts';

/** Shows how far a run is. */
export interface Progress {
  /** Shows a step that has begun. */
  show(step: Step): void;
  /** Ends the display. */
  stop(): void;
}

/** Least time between two lines, in milliseconds. */
const PAUSE = 5000;

/** Least part of the run between two lines. */
const PART = 0.01;

/**
 * Shows step, loss and time left on standard error: as a bar on a terminal, elsewhere as a line at most every five seconds
 * and every hundredth of the run.
 *
 * @param total How many steps are to come; null where that is unknown, and with it the time left.
 */
export function showProgress(total: number | null): Progress {
  return process.stderr.isTTY && total !== null ? showBar(total) : showLines(total);
}

function showBar(total: number): Progress {
  const bar = new cliProgress.SingleBar({
    format: '{bar} step {step} of {last} | loss {loss} | {eta_formatted} left',
    etaBuffer: 100,
    hideCursor: true,
    gracefulExit: false,
  });
  let first: number | null = null;
  bar.start(total - 1, 0, { loss: '', step: '', last: '' });
  return {
    show: (step) => {
      first ??= step.index;
      bar.update(step.index - first, { loss: formatLoss(step), step: step.index, last: first + total - 1 });
    },
    stop: () => bar.stop(),
  };
}

function showLines(total: number | null): Progress {
  const start = performance.now();
  let first: number | null = null;
  let lastTime = start;
  let lastIndex = Number.NEGATIVE_INFINITY;
  return {
    show: (step) => {
      first ??= step.index;
      const now = performance.now();
      if (now - lastTime < PAUSE || step.index - lastIndex < PART * (total ?? 0)) return;
      lastTime = now;
      lastIndex = step.index;
      const done = step.index - first;
      const last = total === null ? null : first + total - 1;
      const left =
        last === null || done === 0 ? '' : ` | ${formatTime(((now - start) / done) * (last - step.index))} left`;
      process.stderr.write(
        `step ${step.index}${last === null ? '' : ` of ${last}`} | loss ${formatLoss(step)}${left}\n`,
      );
    },
    stop: () => {},
  };
}

function formatTime(milliseconds: number): string {
  return cliProgress.Format.TimeFormat(Math.round(milliseconds / 1000), { autopaddingChar: '' }, 1);
}

function formatLoss(step: Step): string {
  return step.batchLoss.toPrecision(4);
}
