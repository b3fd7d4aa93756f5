import cliProgress from 'cli-progress';
import type { Step } from '../core/Step.ts';

/** Shows how far a run is. */
export interface Progress {
  /** Shows a step that has begun. */
  show(step: Step): void;
  /** Shows a line of text. */
  say(text: string): void;
  /** Ends the display. */
  stop(): void;
}

/** Least time between two lines, in milliseconds. */
const PAUSE = 5000;

/** Least part of the run between two lines. */
const PART = 0.01;

/**
 * Shows step, loss and time left on standard error: as a bar on a terminal, elsewhere as a line at most every five
 * seconds and every hundredth of the run. How many steps are to come the first one says; where it does not, no time
 * left is shown.
 */
export function showProgress(): Progress {
  const start = performance.now();
  let chosen: Steps | null = null;
  return {
    show: (step) => {
      const { last } = step.run;
      chosen ??= process.stderr.isTTY && last !== null ? bar(step.index, last) : lines(start, step.index, last);
      chosen.show(step);
    },
    say(text) {
      // A bar that stands where the cursor is begins anew below.
      process.stderr.write(process.stderr.isTTY && chosen ? `\n${text}\n` : `${text}\n`);
    },
    stop: () => chosen?.stop(),
  };
}

/** How steps are shown. */
type Steps = Omit<Progress, 'say'>;

function bar(first: number, last: number): Steps {
  const shown = new cliProgress.SingleBar({
    format: '{bar} step {step} of {last} | loss {loss} | {eta_formatted} left',
    etaBuffer: 100,
    hideCursor: true,
    gracefulExit: false,
  });
  shown.start(last - first, 0, { loss: '', step: first, last });
  return {
    show: (step) => shown.update(step.index - first, { loss: formatLoss(step), step: step.index, last }),
    stop: () => shown.stop(),
  };
}

function lines(start: number, first: number, last: number | null): Steps {
  const pause = last === null ? 0 : PART * (last - first + 1);
  let lastTime = start;
  let lastIndex = Number.NEGATIVE_INFINITY;
  return {
    show: (step) => {
      const now = performance.now();
      if (now - lastTime < PAUSE || step.index - lastIndex < pause) return;
      lastTime = now;
      lastIndex = step.index;
      const done = step.index - first;
      const left =
        last === null || done === 0 ? '' : ` | ${formatTime(((now - start) / done) * (last - step.index))} left`;
      const of = last === null ? '' : ` of ${last}`;
      process.stderr.write(`step ${step.index}${of} | loss ${formatLoss(step)}${left}\n`);
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
