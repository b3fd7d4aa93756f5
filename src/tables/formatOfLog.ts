import { BrinkError } from '../core/errors.ts';
import { openArrowFile } from '../files/openArrowFile.ts';
import { formatOf, type TableFormat } from './tableMetadata.ts';

/** What an Arrow stream is or was to become; undefined where it is not one of brink's tables. */
export function formatOfLog(who: string, path: string): TableFormat | undefined {
  try {
    return openArrowFile(who, path, 'holds no Arrow schema.', ({ schema, close }) => {
      close();
      return formatOf(schema.metadata);
    });
  } catch (error) {
    // What the file system refuses is no word on what the file holds.
    if (error instanceof BrinkError && (error.cause as NodeJS.ErrnoException | undefined)?.code === undefined) {
      return undefined;
    }
    throw error;
  }
}
