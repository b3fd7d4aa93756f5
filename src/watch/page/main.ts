import type { WatchedRun, WatchState } from '../WatchState.ts';
import { frames } from './Curves.ts';
import { element } from './element.ts';
import { Overlay } from './Overlay.ts';
import { RunList } from './RunList.ts';
import { RunView } from './RunView.ts';
import { Refused } from './reader.ts';
import { liveSource, type Saved, type Source, savedSource } from './source.ts';

/** How often the server is asked, in milliseconds: while the page is looked at, and while it is not. */
const VISIBLE = 1000;
const HIDDEN = 10_000;
/** After so many seconds without an answer that is said. */
const PATIENCE = 10;

const saved = document.querySelector('#saved');
const source: Source = saved ? savedSource(JSON.parse(saved.textContent!) as Saved) : liveSource();
const connection = element('p', { class: 'connection', hidden: true, role: 'status' });
const main = element('main', { id: 'main' });
const heading = element('h1', {}, 'brink');
const keysButton = element('button', { type: 'button', class: 'quiet', onclick: () => keys.showModal() }, 'Keys');
document.body.append(element('header', { class: 'top' }, heading, keysButton), connection, main);

const KEYS: readonly (readonly [string, string])[] = [
  ['← →', 'row before, next row'],
  ['PgUp PgDn', 'a tenth of what is shown'],
  ['Home End', 'first row, newest row'],
  ['↑ ↓', 'another line'],
  ['+ − 0', 'zoom in, out, all steps'],
  ['f', 'follow the newest step, or stay'],
  ['l, L', 'scale of the values; logarithmic steps'],
  ['Space', 'pin the cursor, or let it go'],
  ['?', 'this list'],
  ['↑ ↓ Home End', 'in the list of runs: another run'],
];
const keys = element(
  'dialog',
  { id: 'keys', 'aria-label': 'Keys' },
  element('h2', {}, 'Keys, while a panel has the focus'),
  element(
    'dl',
    {},
    KEYS.flatMap(([key, what]) => [element('dt', {}, key), element('dd', {}, what)]),
  ),
  element('p', {}, 'Drag over a panel to zoom, double-click for all steps.'),
  element('form', { method: 'dialog' }, element('button', {}, 'Close')),
);
document.body.append(keys);

const nothing = element('p', { class: 'note', hidden: true }, 'There is no run in this folder any more.');
main.append(nothing);
let view: RunView | null = null;
let list: RunList | null = null;
let overlay: Overlay | null = null;

function choose(run: WatchedRun): void {
  if (view?.root.dataset.run === run.id) return;
  view?.root.remove();
  view = new RunView(source, run);
  main.append(view.root);
}

/** Lays runs over one another, above the one that is shown; with none there is no such part. */
async function lay(runs: readonly WatchedRun[]): Promise<void> {
  if (runs.length === 0) {
    overlay?.root.remove();
    overlay = null;
    return;
  }
  if (overlay === null) {
    overlay = new Overlay(source);
    main.prepend(overlay.root);
  }
  await overlay.update(runs);
}

async function show(next: WatchState): Promise<void> {
  heading.textContent = next.title;
  nothing.hidden = next.runs.length > 0;
  document.title = next.runs.length === 1 ? `${next.runs[0]!.state} · ${next.title}` : `${next.title} · brink`;
  if (next.runs.length > 1 && list === null) {
    list = new RunList(
      source,
      (run) => {
        choose(run);
        view?.update(run).catch(() => {});
      },
      (runs) => void lay(runs),
    );
    main.before(list.root);
  }
  if (list) {
    await list.update(next.runs);
    if (overlay) await lay(list.laid);
  }
  const chosen =
    next.runs.find(({ id }) => id === view?.root.dataset.run) ?? (next.runs.length === 1 ? next.runs[0] : undefined);
  if (chosen === undefined) {
    view?.root.remove();
    view = null;
    return;
  }
  choose(chosen);
  await view!.update(chosen);
}

/**
 * The newest state, and whether its rows could not all be had: then it is shown again, though there is nothing newer.
 */
let latest: WatchState | null = null;
let isUnshown = false;
/** When the look that is going on began; null between two. */
let since: number | null = null;

async function poll(): Promise<void> {
  since = performance.now();
  try {
    const next = await source.state();
    latest = next ?? latest;
    if (latest && (next || isUnshown || view?.isBehind)) {
      isUnshown = true;
      await show(latest);
      isUnshown = false;
    }
    connection.hidden = true;
  } catch (error) {
    connection.hidden = false;
    connection.textContent =
      error instanceof Refused && error.status === 401
        ? 'The server was started anew: open the address that it has printed.'
        : `The server does not answer (${(error as Error).message}). What is shown is what there was; it is asked again.`;
  }
  since = null;
}

/** Time passes without news, and without an answer. */
function tick(): void {
  view?.tick();
  list?.tick();
  const seconds = since === null ? 0 : Math.round((performance.now() - since) / 1000);
  if (seconds < PATIENCE) return;
  connection.hidden = false;
  connection.textContent = `No answer for ${seconds} s: the server is busy, or gone. What is shown is what there was.`;
}

/** Ends the wait for the next poll. */
let wake = (): void => {};
// Who comes back wants to see what is new at once.
addEventListener('visibilitychange', () => {
  if (!document.hidden) wake();
});

async function live(): Promise<void> {
  for (;;) {
    await new Promise<void>((next) => {
      wake = next;
      setTimeout(next, document.hidden ? HIDDEN : VISIBLE);
    });
    await poll();
  }
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  view?.redraw();
  overlay?.redraw();
});
document.documentElement.dataset.ready = 'false';
const first = poll().then(() => {
  document.documentElement.dataset.ready = 'true';
});
if (source.isLive) {
  setInterval(tick, VISIBLE);
  void first.then(live);
}
// For whoever measures how fast frames are, or wants to see one step of a million.
Object.assign(globalThis, {
  brinkPage: {
    frames: () => frames.map(({ spent }) => spent),
    point: (step: number) => view?.view.point(step, true),
  },
});
