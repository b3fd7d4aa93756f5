/**
 * A process to be killed: `tableProcess.ts write|slow|finish|recover …`.
 *
 * - `write STEM`: logs rows for ever, and prints how many are written whenever a batch is.
 * - `slow STEM`: logs four rows a step, three at once, prints the step and the time, and then does nothing but wait, so
 *   that no timer runs, up to two seconds.
 * - `finish STEM COUNT`: logs so many rows, prints "begin", makes them Parquet, and prints "end".
 * - `recover FOLDER`: prints "begin", recovers, and prints "end".
 */
import { writeSync } from 'node:fs';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { recover } from '../../src/runs/recover.ts';
import { finishParquet } from '../../src/tables/finishParquet.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { hostileRows, smallTable } from './hostileRows.ts';

const [task, path, count] = process.argv.slice(2) as [string, string, string?];
const say = (text: string | number) => writeSync(1, `${text}\n`);

if (task === 'write') {
  const rows = hostileRows(1, 1000, smallTable);
  const log = new TableLog(smallTable, path, { format: 'parquet', metadata: { seed: 7 } });
  say(0);
  for (let step = 0, told = 0; ; step++) {
    log.append({ ...rows[step % rows.length]!, step });
    if (log.rows > told) {
      told = log.rows;
      say(told);
      await wait(1);
    }
  }
}
if (task === 'slow') {
  const [row] = hostileRows(1, 1, smallTable);
  const log = new TableLog(smallTable, path, { format: 'parquet', metadata: { seed: 7 } });
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let step = 0; ; step += 4) {
    for (const k of [0, 1, 2]) log.append({ ...row!, step: step + k });
    await null;
    log.append({ ...row!, step: step + 3 });
    say(`${step + 4} ${Date.now()}`);
    await setImmediate();
    Atomics.wait(never, 0, 0, Math.random() < 0.5 ? 50 : 2000 * Math.random());
  }
}
if (task === 'finish') {
  const log = new TableLog(smallTable, path, { format: 'parquet', metadata: { seed: 7 } });
  for (const row of hostileRows(1, Number(count), smallTable)) log.append(row);
  const whole = log.finish();
  say('begin');
  await finishParquet('test', whole, `${path}.parquet`);
}
if (task === 'recover') {
  say('begin');
  await recover(path);
}
say('end');
