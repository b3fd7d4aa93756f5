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
 * @param last The index of the last step; null where that is unknown, and with it the time left.
 */
export function showProgress(last: number | null): Progress {
  return process.stderr.isTTY && last !== null ? showBar(last) : showLines(last);
}

function showBar(last: number): Progress {
  const bar = new cliProgress.SingleBar({
    format: '{bar} step {step} of {last} | loss {loss} | {eta_formatted} left',
    etaBuffer: 100,
    hideCursor: true,
    gracefulExit: false,
  });
  let first: number | null = null;
  bar.start(last, 0, { loss: '', step: '', last });
  return {
    show: (step) => {
      if (first === null) {
        first = step.index;
        bar.setTotal(last - first);
      }
      bar.update(step.index - first, { loss: formatLoss(step), step: step.index, last });
    },
    stop: () => bar.stop(),
  };
}

function showLines(last: number | null): Progress {
  const start = performance.now();
  let first: number | null = null;
  let lastTime = start;
  let lastIndex = Number.NEGATIVE_INFINITY;
  return {
    show: (step) => {
      first ??= step.index;
      const now = performance.now();
      const length = last === null ? 0 : last - first + 1;
      if (now - lastTime < PAUSE || step.index - lastIndex < PART * length) return;
      lastTime = now;
      lastIndex = step.index;
      const done = step.index - first;
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
