import { existsSync, rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { currentRun } from '../core/runContext.ts';
import type { Row, Table } from '../core/Table.ts';
import { finishParquet } from './finishParquet.ts';
import { logPaths, TableLog } from './TableLog.ts';
import type { TableFormat } from './tableMetadata.ts';

export interface SinkOptions {
  /** Whether a file of that name is replaced; default false: it is refused. */
  readonly overwrite?: boolean;
  /** Goes into the file's key-values beside the run's, default none. */
  readonly metadata?: JsonObject;
}

const ENDINGS: Record<TableFormat, string> = { arrow: '.arrows', parquet: '.parquet' };

/** What `toArrow` and `toParquet` share: rows are logged and passed on; the table is finished before the end passes on. */
export function tableSink<T extends Table>(
  who: string,
  format: TableFormat,
  table: T,
  path: string,
  { overwrite = false, metadata = {} }: SinkOptions,
): MonoTypeOperatorFunction<Row<T>> {
  const ending = ENDINGS[format];
  if (!path.endsWith(ending)) throw new BrinkError(who, `the path is '${path}'. It must end in '${ending}'.`);
  return (rows) =>
    new Observable((subscriber) => {
      const run = currentRun();
      const target = resolve(run?.directory ?? '.', path);
      const stem = target.slice(0, -ending.length);
      const paths = logPaths(stem);
      if (run) for (const file of [target, paths.part, paths.whole]) run.files.add(relative(run.directory, file));
      for (const file of new Set([target, paths.whole])) {
        if (!existsSync(file)) continue;
        if (!overwrite)
          throw new BrinkError(
            who,
            `${file} is there already. It would be lost; name another file, or pass overwrite: true.`,
          );
        rmSync(file);
      }
      const log = new TableLog(table, stem, { format, metadata: { ...run?.metadata, ...metadata } });

      let finished: Promise<unknown> | undefined;
      const finish = () => {
        finished ??= (async () => {
          const whole = log.finish();
          if (format === 'parquet') await finishParquet(who, whole, target);
        })();
        return finished;
      };
      /** Ends the stream with `error` when the table is finished; where that fails too, both are told. */
      const fail = (error: unknown) =>
        finish().then(
          () => subscriber.error(error),
          (second) =>
            subscriber.error(
              second === error
                ? error
                : new AggregateError([error, second], `${(error as Error).message} ${(second as Error).message}`),
            ),
        );

      const subscription = rows.subscribe({
        next: (row) => {
          if (finished) return;
          try {
            log.append(row);
          } catch (error) {
            fail(error);
            subscription?.unsubscribe();
            return;
          }
          subscriber.next(row);
        },
        error: fail,
        complete: () => {
          if (finished) return;
          finish().then(
            () => subscriber.complete(),
            (error) => subscriber.error(error),
          );
        },
      });
      return () => {
        subscription.unsubscribe();
        finish().catch(() => {});
      };
    });
}
