import type { WatchedRecording } from '../WatchState.ts';
import { commandsAt, recordedNear } from './commandsAt.ts';
import { count } from './count.ts';
import { element } from './element.ts';
import type { View } from './View.ts';

/** The commands for the step at the cursor, to be copied: nothing is started from the page. */
export class MeasureHere {
  readonly root = element('section', { class: 'recordings', 'aria-label': 'Measure here', hidden: true });
  readonly #view: View;
  #recordings: readonly WatchedRecording[] = [];
  #shown = '';

  constructor(view: View) {
    this.#view = view;
    view.listen((what) => what === 'cursor' && this.show(this.#recordings));
  }

  show(recordings: readonly WatchedRecording[]): void {
    this.#recordings = recordings;
    this.root.hidden = recordings.length === 0;
    if (recordings.length === 0) return;
    const steps = recordings.map((recording) => recordedNear(recording, this.#view.cursor));
    // What is the same stays, with the focus that a button may have.
    const wanted = JSON.stringify([recordings, steps]);
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    this.root.replaceChildren(
      element('h2', {}, 'Measure here'),
      ...recordings.flatMap((recording, k) => {
        const step = steps[k] ?? null;
        if (step === null) return [element('p', {}, `${recording.path}: ${count(recording.count, 'step')}`)];
        const { replay, fork } = commandsAt(recording, step);
        const { path, count: held, first, last } = recording;
        const which = held === 1 ? `step ${first}` : `${held} steps, ${first} to ${last}`;
        return [
          element('p', { class: 'note' }, `${path} holds ${which}. At step ${step}:`),
          copied(replay),
          copied(fork),
        ];
      }),
    );
  }
}

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
