import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BrinkError } from '../../core/errors.ts';
import { checksums } from '../../files/checksums.ts';
import { FileLock } from '../../files/FileLock.ts';
import { makeFolders } from '../../files/makeFolders.ts';
import { sayingWhy } from '../../files/sayingWhy.ts';
import type { Archive } from './archives.ts';
import { checkArchive } from './checkArchive.ts';
import { AnotherFile, WantedFiles } from './WantedFiles.ts';

export interface GetArchiveOptions {
  /** Where the archive's folder is to lie, made where it is missing. */
  readonly directory: string;
  /** Another place that has the same archive; default: its authors'. */
  readonly url?: string;
  /** Gets a line at each stage. */
  readonly log?: (line: string) => void;
}

const WHO = 'data';
const ANOTHER = 'It is another file, or a page that says why';

/**
 * Downloads an archive, compares it with its checksums, and unpacks it, unless it is read as it is.
 *
 * What has come is kept in a `.part` file where the connection is cut, and the next call goes on from there if the
 * server still has the file that it began with (its ETag or Last-Modified stands beside it, in `.part.from`); else it
 * begins anew. A file of another length is refused as it comes, one with another checksum is set aside as `.wrong`,
 * and neither is unpacked or gone on with. The files get their names once all are unpacked; the archive itself is
 * removed then. Of an archive that is large for the files in it that are read, these are taken out as it comes, each
 * compared with its own checksum, and the download ends once they are there.
 *
 * @returns The unpacked folder, and whether it was made just now: files that are right already are left alone.
 * @throws BrinkError where the folder can't be written, another process is at it, the server does not have the file,
 *   the connection is cut, or the archive is not the one that is meant.
 */
export async function getArchive(
  archive: Archive,
  { directory, url = archive.url, log = () => {} }: GetArchiveOptions,
): Promise<{ readonly folder: string; readonly made: boolean }> {
  const folder = resolve(directory, archive.folder);
  const there = await checkArchive(archive, directory);
  if (there.every(({ state }) => state === 'right')) return { folder: resolve(there[0]!.path, '..'), made: false };
  try {
    makeFolders(resolve(directory));
  } catch (cause) {
    throw new BrinkError(
      WHO,
      `${resolve(directory)} can't be made: ${(cause as Error).message}. Name another folder.`,
      {
        cause,
      },
    );
  }
  const part = join(resolve(directory), `${archive.keptAs ?? `${archive.folder}.tar.gz`}.part`);
  const lock = lockOf(part);
  try {
    if (archive.onlyThese) await takeOut(archive, url, part, folder, log);
    else {
      await download(archive, url, part, log);
      await requireRight(archive, part);
      if (archive.keptAs === undefined) {
        log(`unpacking it into ${folder} …`);
        await unpack(part, archive, folder);
      } else {
        mkdirSync(folder, { recursive: true });
        renameSync(part, join(folder, archive.keptAs));
      }
    }
    remove(part);
    return { folder, made: true };
  } finally {
    lock?.release();
  }
}

/** Of two that write one file neither would have what the server sent. */
function lockOf(part: string): FileLock | null {
  const lock = sayingWhy(WHO, `${part} can't be written`, 'Name another folder.', () => FileLock.takeIfAny(part));
  if (lock === null || lock instanceof FileLock) return lock;
  throw new BrinkError(
    WHO,
    `${part} is being downloaded by process ${lock.pid} on ${lock.host}. Wait for its end; then the same command says whether all is there.`,
  );
}

/** What tells whether a server has the same file as before. */
interface Origin {
  readonly url: string;
  /** The file's strong ETag, or when it was changed last; null: the server said neither. */
  readonly version: string | null;
}

/** The server's answer: a file from `start` on. */
interface Answer {
  readonly body: AsyncIterable<Uint8Array>;
  readonly start: number;
  readonly origin: Origin;
}

const originFile = (part: string) => `${part}.from`;

/** Where `part` came from; null where nothing that can be read says so. */
function originOf(part: string): Origin | null {
  try {
    return JSON.parse(readFileSync(originFile(part), 'utf8'));
  } catch {
    return null;
  }
}

function remove(part: string): void {
  for (const file of [part, originFile(part)]) rmSync(file, { force: true });
}

/** Downloads as much of an archive as it takes to have the files in it that are read. */
async function takeOut(
  archive: Archive,
  url: string,
  part: string,
  folder: string,
  log: (line: string) => void,
): Promise<void> {
  const wanted = await WantedFiles.begin(archive, `${folder}.tmp`);
  log(`of it ${Object.keys(archive.files).join(', ')} are kept; once they are there, the rest need not come`);
  try {
    await download(archive, url, part, log, wanted);
    wanted.requireAll();
    moveInto(wanted.folder, folder);
  } catch (error) {
    // What is no archive, or another one, is not gone on with.
    if (error instanceof AnotherFile) remove(part);
    throw error;
  } finally {
    wanted.discard();
  }
}

/**
 * Brings `part` to the archive's size, from where it stands, or until the files are there that are wanted of it.
 */
async function download(
  archive: Archive,
  url: string,
  part: string,
  log: (line: string) => void,
  wanted: WantedFiles | null = null,
): Promise<void> {
  const had = existsSync(part) ? statSync(part).size : 0;
  if (had === archive.size) {
    await wanted?.addFile(part, had);
    return;
  }
  const before = originOf(part);
  const goesOn = had < archive.size && before?.url === url && typeof before.version === 'string';
  const answer = await ask(archive, url, goesOn ? had : 0, goesOn ? before.version : null);
  const { start } = answer;
  log(`downloading ${url}, ${megabytes(archive.size)}${start > 0 ? `, from ${megabytes(start)} on` : ''} …`);
  const refuse = (cause: Error) => {
    throw new BrinkError(WHO, `${part} can't be written: ${cause.message}. Name another folder.`, { cause });
  };
  const file = await open(part, start > 0 ? 'r+' : 'w').catch(refuse);
  try {
    writeFileSync(originFile(part), JSON.stringify(answer.origin));
    await wanted?.addFile(part, start);
    await receive(archive, answer, file, part, log, wanted);
  } finally {
    await file.close();
  }
}

/**
 * Asks for the bytes from `start` on, if the file is the one of `version` still; another file, and a server that knows
 * no ranges, comes from its beginning.
 */
async function ask(archive: Archive, url: string, start: number, version: string | null): Promise<Answer> {
  // Another encoding would count other bytes.
  const range = version === null ? {} : { range: `bytes=${start}-`, 'if-range': version };
  const response = await fetch(url, { headers: { 'accept-encoding': 'identity', ...range } }).catch((cause) => {
    throw new BrinkError(
      WHO,
      `${url} can't be reached: ${reason(cause)}. Look at the connection, or pass another --url.`,
      {
        cause,
      },
    );
  });
  const { status, statusText, body, headers } = response;
  const etag = headers.get('etag');
  const origin = { url, version: etag?.startsWith('"') ? etag : headers.get('last-modified') };
  if (status === 206 && headers.get('content-range') === `bytes ${start}-${archive.size - 1}/${archive.size}`)
    return { body: body!, start, origin };
  const length = headers.get('content-length');
  const isCounted = length !== null && (headers.get('content-encoding') ?? 'identity') === 'identity';
  if (status === 200 && (!isCounted || Number(length) === archive.size)) return { body: body!, start: 0, origin };
  await body?.cancel();
  // It does not have the bytes asked for: what is there is not the beginning of its file.
  if (start > 0 && (status === 416 || status === 206)) return ask(archive, url, 0, null);
  throw new BrinkError(
    WHO,
    status === 200
      ? `${url} answers with ${length} bytes (${headers.get('content-type') ?? 'of no type'}), and ${archive.name} ` +
          `has ${archive.size}. ${ANOTHER}; pass another --url.`
      : `${url} answers ${status} ${statusText}. The file is not to be had there; pass another --url.`,
  );
}

async function receive(
  archive: Archive,
  { body, start, origin }: Answer,
  file: FileHandle,
  part: string,
  log: (line: string) => void,
  wanted: WantedFiles | null,
): Promise<void> {
  let size = start;
  let told = Math.floor((10 * start) / archive.size);
  const kept = () =>
    origin.version === null
      ? `The server says of no version which it is: the same command begins anew.`
      : `The ${size} bytes so far are kept in ${part}; the same command goes on from there.`;
  const chunks = body[Symbol.asyncIterator]();
  while (!wanted?.areThere) {
    const next = await chunks.next().catch((cause) => {
      throw new BrinkError(WHO, `the connection was cut: ${reason(cause)}. ${kept()}`, { cause });
    });
    if (next.done) break;
    if (size + next.value.length > archive.size) {
      remove(part);
      throw new BrinkError(
        WHO,
        `the server sends more than the ${archive.size} bytes of the archive. It is another file; pass another --url.`,
      );
    }
    await file.write(next.value, 0, next.value.length, size).catch((cause) => {
      throw new BrinkError(
        WHO,
        `${part} can't be written: ${cause.message}. Make room; the same command goes on from there.`,
        {
          cause,
        },
      );
    });
    size += next.value.length;
    await wanted?.add(next.value);
    if (Math.floor((10 * size) / archive.size) > told) {
      told = Math.floor((10 * size) / archive.size);
      log(`${10 * told} %`);
    }
  }
  if (wanted?.areThere) {
    await chunks.return?.();
    log(`all are there after ${megabytes(size)}`);
    return;
  }
  if (size < archive.size) {
    remove(part);
    throw new BrinkError(
      WHO,
      `the server ended after ${size} of the ${archive.size} bytes of the archive. ${ANOTHER}; pass another --url, ` +
        'or try again.',
    );
  }
}

/** Sets aside what is not the archive. */
async function requireRight({ name, md5, sha256 }: Archive, part: string): Promise<void> {
  const found = await checksums(part);
  if (found.md5 === md5 && found.sha256 === sha256) return;
  const aside = part.replace(/part$/, 'wrong');
  renameSync(part, aside);
  remove(part);
  throw new BrinkError(
    WHO,
    `what was downloaded is not ${name}: its SHA-256 is ${found.sha256}, and should be ${sha256}. It was damaged on ` +
      `its way or is another file; it is set aside as ${aside}, and nothing was unpacked.`,
  );
}

/** Unpacks beside the folder, and then moves what came into it. */
async function unpack(path: string, archive: Archive, folder: string): Promise<void> {
  const temporary = `${folder}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  try {
    const { extract } = await import('tar');
    await extract({ file: path, cwd: temporary, strict: true, strip: 1 });
    moveInto(temporary, folder);
  } catch (cause) {
    throw new BrinkError(WHO, `${archive.name} can't be unpacked into ${folder}: ${(cause as Error).message}.`, {
      cause,
    });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function moveInto(from: string, folder: string): void {
  makeFolders(folder);
  for (const name of readdirSync(from)) renameSync(join(from, name), join(folder, name));
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** What lies behind "fetch failed" and "terminated". */
function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? cause.message : message;
}
