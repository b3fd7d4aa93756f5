import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BrinkError } from '../../core/errors.ts';
import type { Archive } from './archives.ts';
import { checkArchive } from './checkArchive.ts';
import { checksums } from './checksums.ts';

export interface GetArchiveOptions {
  /** Where the archive's folder is to lie, made where it is missing. */
  readonly directory: string;
  /** Another place that has the same archive; default: its authors'. */
  readonly url?: string;
  /** Gets a line at each stage. */
  readonly log?: (line: string) => void;
}

const WHO = 'data';

/**
 * Downloads an archive, compares it with its checksums, and unpacks it.
 *
 * What has come is kept in a `.part` file, and the next call goes on from there. An archive with another checksum is
 * set aside as `.wrong` and not unpacked. The files get their names once all are unpacked; the archive itself is
 * removed then.
 *
 * @returns The unpacked folder, and whether it was made just now: files that are right already are left alone.
 * @throws BrinkError where the folder can't be written, the server does not have the file, the connection is cut, or
 *   the archive is not the one that is meant.
 */
export async function getArchive(
  archive: Archive,
  { directory, url = archive.url, log = () => {} }: GetArchiveOptions,
): Promise<{ readonly folder: string; readonly made: boolean }> {
  const folder = resolve(directory, archive.folder);
  const there = await checkArchive(archive, directory);
  if (there.every(({ state }) => state === 'right')) return { folder: resolve(there[0]!.path, '..'), made: false };
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    throw new BrinkError(
      WHO,
      `${resolve(directory)} can't be made: ${(cause as Error).message}. Name another folder.`,
      {
        cause,
      },
    );
  }
  const part = join(resolve(directory), `${archive.folder}.tar.gz.part`);
  await download(archive, url, part, log);
  await requireRight(archive, part);
  log(`unpacking it into ${folder} …`);
  await unpack(part, archive, folder);
  rmSync(part);
  return { folder, made: true };
}

/** Brings `part` to the archive's size, from where it stands. */
async function download(archive: Archive, url: string, part: string, log: (line: string) => void): Promise<void> {
  const had = existsSync(part) ? statSync(part).size : 0;
  if (had === archive.size) return;
  const { body, start } = await ask(url, had < archive.size ? had : 0);
  log(`downloading ${url}, ${megabytes(archive.size)}${start > 0 ? `, from ${megabytes(start)} on` : ''} …`);
  const file = await open(part, start > 0 ? 'r+' : 'w').catch((cause) => {
    throw new BrinkError(WHO, `${part} can't be written: ${cause.message}. Name another folder.`, { cause });
  });
  try {
    await receive(archive, body, file, start, part, log);
  } finally {
    await file.close();
  }
}

/** Asks for the bytes from `start` on; a server that knows no ranges sends all of them. */
async function ask(url: string, start: number): Promise<{ body: AsyncIterable<Uint8Array>; start: number }> {
  // Another encoding would count other bytes.
  const headers = { 'accept-encoding': 'identity', ...(start > 0 && { range: `bytes=${start}-` }) };
  const response = await fetch(url, { headers }).catch((cause) => {
    throw new BrinkError(
      WHO,
      `${url} can't be reached: ${reason(cause)}. Look at the connection, or pass another --url.`,
      {
        cause,
      },
    );
  });
  const { status, statusText, body } = response;
  if (status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${start}-`))
    return { body: body!, start };
  if (status === 200) return { body: body!, start: 0 };
  await body?.cancel();
  // It does not have the bytes asked for: what is there is not the beginning of its file.
  if (start > 0 && (status === 416 || status === 206)) return ask(url, 0);
  throw new BrinkError(
    WHO,
    `${url} answers ${status} ${statusText}. The file is not to be had there; pass another --url.`,
  );
}

async function receive(
  archive: Archive,
  body: AsyncIterable<Uint8Array>,
  file: FileHandle,
  start: number,
  part: string,
  log: (line: string) => void,
): Promise<void> {
  let size = start;
  let told = Math.floor((10 * start) / archive.size);
  const kept = () => `The ${size} bytes so far are kept in ${part}; the same command goes on from there.`;
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch((cause) => {
      throw new BrinkError(WHO, `the connection was cut: ${reason(cause)}. ${kept()}`, { cause });
    });
    if (next.done) break;
    if (size + next.value.length > archive.size) {
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
    if (Math.floor((10 * size) / archive.size) > told) {
      told = Math.floor((10 * size) / archive.size);
      log(`${10 * told} %`);
    }
  }
  if (size < archive.size)
    throw new BrinkError(WHO, `the connection ended after ${size} of ${archive.size} bytes. ${kept()}`);
}

/** Sets aside what is not the archive. */
async function requireRight({ name, md5, sha256 }: Archive, part: string): Promise<void> {
  const found = await checksums(part);
  if (found.md5 === md5 && found.sha256 === sha256) return;
  const aside = part.replace(/part$/, 'wrong');
  renameSync(part, aside);
  throw new BrinkError(
    WHO,
    `what was downloaded is not ${name}: its SHA-256 is ${found.sha256}, and should be ${sha256}. It was damaged on its way or is another file; it is set aside as ${aside}, and nothing was unpacked.`,
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
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(temporary)) renameSync(join(temporary, name), join(folder, name));
  } catch (cause) {
    throw new BrinkError(WHO, `${archive.name} can't be unpacked into ${folder}: ${(cause as Error).message}.`, {
      cause,
    });
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** What lies behind "fetch failed" and "terminated". */
function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message ? cause.message : message;
}
