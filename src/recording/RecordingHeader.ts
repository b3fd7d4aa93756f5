import { BrinkError } from '../core/errors.ts';
import { hasFields } from '../core/hasFields.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Writer } from '../files/isBeingWritten.ts';

/** Which steps are recorded: those with from ≤ t ≤ to and t ≡ 0 (mod every). */
export interface Selection {
  readonly every: number;
  readonly from: number;
  /** Null: to the last. */
  readonly to: number | null;
}

/** What a recording says of itself before its first step. */
export interface RecordingHeader {
  /** What the source of the steps says of itself: optimizer, options, seed, objective; null where it was not known. */
  readonly source: JsonObject | null;
  readonly selection: Selection;
  /** The process that began it. */
  readonly writer: Writer;
  /** Versions, platform, and what the user's run adds. */
  readonly run: JsonObject;
}

/** The version of the format that this brink writes, and the only one that it reads. */
export const FORMAT_VERSION = '1';

const FORMAT = 'brink.recording';
const HEADER = 'brink.recording.header';

/** The key-values of a recording's schema. */
export function toKeyValues(header: RecordingHeader): Map<string, string> {
  return new Map([
    [FORMAT, FORMAT_VERSION],
    [HEADER, JSON.stringify(header)],
  ]);
}

/** Reads them back. @throws BrinkError where the file is no recording, or one of another version. */
export function fromKeyValues(who: string, path: string, keyValues: ReadonlyMap<string, string>): RecordingHeader {
  const version = keyValues.get(FORMAT);
  if (version === undefined) {
    throw new BrinkError(
      who,
      `${path} is no recording (its key-values have no ${FORMAT}). \`record\` writes one; ` +
        'a table is read by readTable.',
    );
  }
  if (version !== FORMAT_VERSION) {
    throw new BrinkError(
      who,
      `${path} is a recording of format version '${version}'. This brink reads version '${FORMAT_VERSION}'; ` +
        'use the brink that wrote it, or a newer one.',
    );
  }
  try {
    return requireHeader(JSON.parse(keyValues.get(HEADER) ?? ''));
  } catch (cause) {
    throw new BrinkError(who, `${path} has a damaged header: ${(cause as Error).message}. Take another copy of it.`, {
      cause,
    });
  }
}

function requireHeader(value: unknown): RecordingHeader {
  if (!hasFields(value, { source: ['object', 'null'], selection: ['object'], writer: ['object'], run: ['object'] })) {
    throw new Error('it lacks the source, the selection, the writer or the run');
  }
  const selection = { every: ['integer'], from: ['integer'], to: ['integer', 'null'] } as const;
  if (!hasFields(value.selection, selection)) throw new Error('its selection is none');
  if (!hasFields(value.writer, { host: ['string'], pid: ['integer'] })) throw new Error('its writer is none');
  return value as unknown as RecordingHeader;
}
