/**
 * A process to be killed: `tableProcess.ts write|finish|recover …`.
 *
 * - `write STEM`: logs rows for ever, and prints how many are written whenever a batch is.
 * - `finish STEM COUNT`: logs so many rows, prints "begin", makes them Parquet, and prints "end".
 * - `recover FOLDER`: prints "begin", recovers, and prints "end".
 */
import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { finishParquet } from '../../src/tables/finishParquet.ts';
import { recover } from '../../src/tables/recover.ts';
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
