/**
 * A process to be killed: `tableProcess.ts write|finish|recover …`.
 *
 * - `write STEM`: logs rows for ever, and prints how many are written whenever a batch is.
 * - `finish LOG TARGET`: prints "begin", and makes a finished log Parquet.
 * - `recover FOLDER`: prints "begin", and recovers.
 */
import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { finishParquet } from '../../src/tables/finishParquet.ts';
import { recover } from '../../src/tables/recover.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { hostileRows, smallTable } from './hostileRows.ts';

const [task, path, target] = process.argv.slice(2) as [string, string, string];
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
say('begin');
if (task === 'finish') await finishParquet('test', path, target);
if (task === 'recover') await recover(path);
say('end');
