import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Collects what nobody holds. What a weak reference has shown is held until the turn of the event loop is over. */
export async function collectGarbage(): Promise<void> {
  for (let k = 0; k < 2; k++) {
    await setImmediate();
    collect();
  }
}
