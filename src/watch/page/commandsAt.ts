import type { WatchedRecording } from '../WatchState.ts';

/** The recorded step that is nearest to one, as far as the recording says where its steps lie. */
export function recordedNear({ first, last, every }: WatchedRecording, step: number | null): number | null {
  if (first === null || last === null) return null;
  if (step === null || step >= last) return last;
  if (step <= first) return first;
  // Where they are not even, replay takes the first one from here on.
  return every === null ? step : first + every * Math.round((step - first) / every);
}

/** A path as a shell takes it for one word. */
export const quoted = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

/** What measures at a step of a recording, and what leaves it there. */
export function commandsAt(
  recording: WatchedRecording,
  step: number,
): { readonly replay: string; readonly fork: string } {
  const path = quoted(recording.path.replace(/^-/, './-'));
  return {
    replay: `npx brink replay ${path} --from ${step} --to ${step} --probe spectralDensity --out output/replay-${step}`,
    fork: `npx brink fork ${path} --step ${step} --steps 50 --out output/fork-${step}`,
  };
}
