import type { WatchedRecording } from '../WatchState.ts';
import { element } from './element.ts';
import type { View } from './View.ts';

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
  const path = quoted(recording.path);
  return {
    replay: `npx brink replay ${path} --from ${step} --to ${step} --probe spectralDensity --out output/replay-${step}`,
    fork: `npx brink fork ${path} --step ${step} --steps 50 --out output/fork-${step}`,
  };
}

const shown = new WeakSet<HTMLElement>();

/** Offers the commands for the step at the cursor, to be copied: nothing is started from here. */
export function measureHere(root: HTMLElement, recordings: readonly WatchedRecording[], view: View): void {
  root.hidden = recordings.length === 0;
  if (recordings.length === 0) return;
  const show = () => {
    root.replaceChildren(
      element('h2', {}, 'Measure here'),
      ...recordings.flatMap((recording) => {
        const step = recordedNear(recording, view.cursor);
        if (step === null) return [element('p', {}, `${recording.path}: ${recording.count} steps`)];
        const { replay, fork } = commandsAt(recording, step);
        const held = `${recording.path} holds ${recording.count} steps, ${recording.first} to ${recording.last}`;
        return [element('p', { class: 'note' }, `${held}. At step ${step}:`), copied(replay), copied(fork)];
      }),
    );
  };
  if (!shown.has(root)) {
    shown.add(root);
    view.listen((what) => what === 'cursor' && measureHere.latest.get(root)?.());
  }
  measureHere.latest.set(root, show);
  show();
}
measureHere.latest = new WeakMap<HTMLElement, () => void>();

/** A command, and a button that copies it. */
function copied(command: string): HTMLElement {
  const button = element('button', { type: 'button', onclick: () => copy() }, 'Copy');
  const text = element('code', {}, command);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      button.textContent = 'Copied';
    } catch {
      // Without a secure context there is no clipboard: it is selected, to be copied by hand.
      getSelection()?.selectAllChildren(text);
      button.textContent = 'Selected: press Ctrl-C';
    }
  };
  return element('p', { class: 'command' }, text, button);
}
