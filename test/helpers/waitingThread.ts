// Waits for a change of a shared number, and says what it saw.
import { parentPort, workerData } from 'node:worker_threads';
import { waitForChange } from '../../src/engine/kernels/wasm/waitForChange.ts';

parentPort!.postMessage('ready');
parentPort!.postMessage(waitForChange(workerData as Int32Array<SharedArrayBuffer>, 0, 0));
