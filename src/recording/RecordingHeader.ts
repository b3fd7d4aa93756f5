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

/** What a recording's key-values say. */
export interface VersionedHeader {
  readonly version: FormatVersion;
  readonly header: RecordingHeader;
}

/**
 * The versions of the format that this brink reads; it writes the last, and goes on with either.
 *
 * '1' has no checksums, and its batches and its θ_0 come from a generator whose first two numbers went together.
 */
const VERSIONS = ['1', '2'] as const;
export type FormatVersion = (typeof VERSIONS)[number];
export const FORMAT_VERSION: FormatVersion = '2';

const FORMAT = 'brink.recording';
const HEADER = 'brink.recording.header';

/** The key-values of a recording's schema. */
export function toKeyValues({ version, header }: VersionedHeader): Map<string, string> {
  return new Map([
    [FORMAT, version],
    [HEADER, JSON.stringify(header)],
  ]);
}

/** Reads them back. @throws BrinkError where the file is no recording, or one of another version. */
export function fromKeyValues(who: string, path: string, keyValues: ReadonlyMap<string, string>): VersionedHeader {
  const version = keyValues.get(FORMAT);
  if (version === undefined) {
    throw new BrinkError(
      who,
      `${path} is no recording (its key-values have no ${FORMAT}). \`record\` writes one; ` +
        'a table is read by readTable.',
    );
  }
  if (!isKnown(version)) {
    throw new BrinkError(
      who,
      `${path} is a recording of format version '${version}'. ` +
        `This brink reads the versions ${VERSIONS.join(' and ')}; ` +
        'use the brink that wrote it, or a newer one.',
    );
  }
  try {
    return { version, header: requireHeader(JSON.parse(keyValues.get(HEADER) ?? '')) };
  } catch (cause) {
    throw new BrinkError(who, `${path} has a damaged header: ${(cause as Error).message}. Take another copy of it.`, {
      cause,
    });
  }
}

const isKnown = (version: string): version is FormatVersion => (VERSIONS as readonly string[]).includes(version);

function requireHeader(value: unknown): RecordingHeader {
  if (!hasFields(value, { source: ['object', 'null'], selection: ['object'], writer: ['object'], run: ['object'] })) {
    throw new Error('it lacks the source, the selection, the writer or the run');
  }
  const selection = { every: ['integer'], from: ['integer'], to: ['integer', 'null'] } as const;
  if (!hasFields(value.selection, selection)) throw new Error('its selection is none');
  if (!hasFields(value.writer, { host: ['string'], pid: ['integer'] })) throw new Error('its writer is none');
  return value as unknown as RecordingHeader;
}
