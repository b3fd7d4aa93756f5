import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Archive } from '../../../src/datasets/archives/archives.ts';
import { checkArchive } from '../../../src/datasets/archives/checkArchive.ts';
import { getArchive } from '../../../src/datasets/archives/getArchive.ts';

const hash = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest('hex');

let parent: string;
let directory: string;
let bytes: Buffer;
let archive: Archive;
let asked: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  asked.push(request);
  answer(request, response);
});

beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-data-'));
  directory = join(parent, 'data');
  asked = [];
  version = { etag: '"one"', 'last-modified': 'Thu, 01 Jan 2009 00:00:00 GMT' };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  archive = await makeArchive();
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  rmSync(parent, { recursive: true });
});

/** An archive of two files that do not compress well, as the server has it. */
async function makeArchive(): Promise<Archive> {
  const folder = join(parent, 'original', 'tiny-bin');
  mkdirSync(folder, { recursive: true });
  const noise = Uint8Array.from({ length: 60_000 }, (_, k) => hash('sha256', Buffer.from(`${k}`)).charCodeAt(3) * k);
  const files = { 'train.bin': noise, 'test.bin': noise.slice(0, 500) };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  writeFileSync(join(folder, 'readme.html'), 'about it');
  const path = join(parent, 'tiny.tar.gz');
  await create({ gzip: true, file: path, cwd: join(parent, 'original') }, ['tiny-bin']);
  bytes = readFileSync(path);
  return {
    name: 'tiny',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tiny.tar.gz`,
    size: bytes.length,
    md5: hash('md5', bytes),
    sha256: hash('sha256', bytes),
    folder: 'tiny-bin',
    files: Object.fromEntries(
      Object.entries(files).map(([name, content]) => [name, { sha256: hash('sha256', content) }]),
    ),
  };
}

const whole = (_: IncomingMessage, response: ServerResponse) => response.end(bytes);

/** What the server says of its file's version. */
let version: Record<string, string> = {};

/** Answers a range as HTTP has it. */
function ranges(request: IncomingMessage, response: ServerResponse): void {
  const ifRange = request.headers['if-range'];
  const isSame = ifRange === undefined || Object.values(version).includes(String(ifRange));
  const start = isSame ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
  response.setHeaders(new Headers(version));
  if (start >= bytes.length) response.writeHead(416).end();
  else if (start === 0) response.end(bytes);
  else {
    response.writeHead(206, { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` });
    response.end(bytes.subarray(start));
  }
}

/** Sends the first so many bytes, and cuts the connection. */
const cutAfter = (count: number) => (_: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { 'content-length': bytes.length, ...version });
  response.write(bytes.subarray(0, count), () => setTimeout(() => response.destroy(), 50));
};

const get = (lines: string[] = []) => getArchive(archive, { directory, log: (line) => lines.push(line) });
const part = () => join(directory, 'tiny-bin.tar.gz.part');

async function expectRight(): Promise<void> {
  expect((await checkArchive(archive, directory)).map(({ state }) => state)).toEqual(['right', 'right']);
  expect(readdirSync(directory)).toEqual(['tiny-bin']);
  expect(readdirSync(join(directory, 'tiny-bin')).sort()).toEqual(['readme.html', 'test.bin', 'train.bin']);
}

describe('getArchive', () => {
  it('is for one at a time: another is told who is at it', async () => {
    const { promise: isAsked, resolve: toldSo } = Promise.withResolvers<() => void>();
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length, ...version });
      response.write(bytes.subarray(0, 9000), () => toldSo(() => response.end(bytes.subarray(9000))));
    };
    const first = get();
    const goOn = await isAsked;
    await expect(get()).rejects.toThrow(`is being downloaded by process ${process.pid} on `);
    goOn();
    expect(await first).toMatchObject({ made: true });
    await expectRight();
    expect(asked).toHaveLength(1);
  });

  it('keeps an archive that is read as it is', async () => {
    answer = ranges;
    const files = { 'tiny.zip': { sha256: archive.sha256 } };
    const kept = { ...archive, folder: 'tiny', keptAs: 'tiny.zip', files };
    expect(await getArchive(kept, { directory })).toEqual({ folder: join(directory, 'tiny'), made: true });
    expect(readdirSync(directory)).toEqual(['tiny']);
    expect(readFileSync(join(directory, 'tiny', 'tiny.zip')).equals(bytes)).toBe(true);
    expect(await getArchive(kept, { directory })).toMatchObject({ made: false });
    expect(asked).toHaveLength(1);
  });

  it('downloads, checks and unpacks; what is there is not fetched again, but what is damaged is', async () => {
    answer = ranges;
    const lines: string[] = [];
    expect(await get(lines)).toEqual({ folder: join(directory, 'tiny-bin'), made: true });
    await expectRight();
    expect(lines[0]).toMatch(/^downloading http:.*tiny\.tar\.gz, 0\.\d MB …$/);
    expect(lines).toContain('100 %');
    expect(await get()).toMatchObject({ made: false });
    expect(asked).toHaveLength(1);
    writeFileSync(join(directory, 'tiny-bin', 'test.bin'), 'damaged');
    expect(await get()).toMatchObject({ made: true });
    await expectRight();
  });

  it('goes on where the connection was cut', async () => {
    answer = cutAfter(20_000);
    await expect(get()).rejects.toThrow(
      /^data: the connection was cut: .*\. The 20000 bytes so far are kept in .*tiny-bin\.tar\.gz\.part; the same command goes on from there\.$/,
    );
    expect(statSync(part()).size).toBe(20_000);
    expect(existsSync(join(directory, 'tiny-bin'))).toBe(false);
    answer = ranges;
    await get();
    expect(asked.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=20000-']);
    await expectRight();
  });

  it('begins again where the server knows no ranges', async () => {
    answer = cutAfter(20_000);
    await expect(get()).rejects.toThrow('cut');
    answer = whole;
    await get();
    expect(asked[1]!.headers.range).toBe('bytes=20000-');
    await expectRight();
  });

  it.each([416, 206])('begins again where the server has no such range and answers %d', async (status) => {
    answer = cutAfter(20_000);
    await expect(get()).rejects.toThrow('cut');
    answer = (request, response) =>
      request.headers.range ? response.writeHead(status).end() : whole(request, response);
    await get();
    await expectRight();
  });

  it.each([
    ['its ETag', { etag: '"one"' }, '"one"'],
    ['when it was changed', { 'last-modified': 'Thu, 01 Jan 2009 00:00:00 GMT' }, 'Thu, 01 Jan 2009 00:00:00 GMT'],
    [
      'when it was changed, and an ETag that is weak',
      { etag: 'W/"one"', 'last-modified': 'Thu, 01 Jan 2009 00:00:00 GMT' },
      'Thu, 01 Jan 2009 00:00:00 GMT',
    ],
  ])('asks for the rest of the same file only, by %s', async (_, said, ifRange) => {
    version = said;
    answer = cutAfter(20_000);
    await expect(get()).rejects.toThrow('goes on from there');
    answer = ranges;
    await get();
    expect(asked[1]!.headers).toMatchObject({ range: 'bytes=20000-', 'if-range': ifRange });
    await expectRight();
  });

  it('begins anew where the server has another version, or said of none which it is', async () => {
    const right = bytes;
    bytes = Buffer.alloc(right.length, 7);
    answer = cutAfter(20_000);
    await expect(get()).rejects.toThrow('cut');
    [bytes, version, answer] = [right, { etag: '"two"' }, ranges];
    await get();
    expect(asked[1]!.headers['if-range']).toBe('"one"');
    await expectRight();

    rmSync(directory, { recursive: true });
    [version, answer] = [{}, cutAfter(20_000)];
    await expect(get()).rejects.toThrow('the connection was cut: ');
    answer = ranges;
    await get();
    expect(asked.at(-1)!.headers.range).toBeUndefined();
    await expectRight();
  });

  it('begins anew where another place is named, and where a part is of unknown origin', async () => {
    answer = cutAfter(20_000);
    await expect(get()).rejects.toThrow('cut');
    answer = ranges;
    await getArchive(archive, { directory, url: `${archive.url}?elsewhere` });
    expect(asked[1]!.headers.range).toBeUndefined();
    await expectRight();

    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    writeFileSync(part(), 'the beginning of something');
    await get();
    expect(asked.at(-1)!.headers.range).toBeUndefined();
    await expectRight();
  });

  it('begins anew where the rest is of a file of another length', async () => {
    answer = cutAfter(20_000);
    await expect(get()).rejects.toThrow('cut');
    answer = (request, response) => {
      if (!request.headers.range) return whole(request, response);
      response.writeHead(206, { 'content-range': `bytes 20000-29999/30000` });
      return response.end(bytes.subarray(20_000, 30_000));
    };
    await get();
    await expectRight();
  });

  it('refuses a page, or a file that was cut short at the server, and keeps nothing of it', async () => {
    answer = (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html', 'content-length': 18 }).end('<html>moved</html>');
    await expect(get()).rejects.toThrow(`data: ${archive.url} answers with 18 bytes (text/html), and`);
    expect(readdirSync(directory)).toEqual([]);
    answer = (_, response) => response.end(bytes.subarray(0, 1000));
    await expect(get()).rejects.toThrow(
      `data: ${archive.url} answers with 1000 bytes (of no type), and tiny has ${bytes.length}. It is another file`,
    );
    expect(readdirSync(directory)).toEqual([]);
    // Of a length that is not said before.
    answer = (_, response) => {
      response.write(bytes.subarray(0, 1000));
      setTimeout(() => response.end(), 50);
    };
    await expect(get()).rejects.toThrow(`the server ended after 1000 of the ${bytes.length} bytes of the archive.`);
    expect(readdirSync(directory)).toEqual([]);
    answer = ranges;
    await get();
    expect(asked.at(-1)!.headers.range).toBeUndefined();
    await expectRight();
  });

  it('sets aside what has another checksum, unpacks nothing, and begins again', async () => {
    const other = Buffer.from(bytes);
    other[5000]! ^= 1;
    answer = (_, response) => response.end(other);
    await expect(get()).rejects.toThrow(
      `data: what was downloaded is not tiny: its SHA-256 is ${hash('sha256', other)}, and should be ${archive.sha256}.`,
    );
    expect(readdirSync(directory)).toEqual(['tiny-bin.tar.gz.wrong']);
    answer = ranges;
    await get();
    expect(asked[1]!.headers.range).toBeUndefined();
    expect((await checkArchive(archive, directory)).every(({ state }) => state === 'right')).toBe(true);
  });

  it('does not take more than the archive has', async () => {
    answer = (_, response) => response.end(Buffer.concat([bytes, bytes]));
    await expect(get()).rejects.toThrow(/answers with \d+ bytes/);
    answer = (_, response) => {
      response.write(bytes);
      response.end(bytes);
    };
    await expect(get()).rejects.toThrow(`sends more than the ${bytes.length} bytes of the archive`);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says what the server answers, and leaves nothing behind', async () => {
    answer = (_, response) => response.writeHead(404).end('not here');
    await expect(get()).rejects.toThrow(`data: ${archive.url} answers 404 Not Found. The file is not to be had there`);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says where no server is', async () => {
    const url = 'http://127.0.0.1:1/tiny.tar.gz';
    await expect(getArchive(archive, { directory, url })).rejects.toThrow(/^data: http.* can't be reached: .*--url\.$/);
  });

  it('says where the folder can’t be made', async () => {
    writeFileSync(join(parent, 'file'), 'mine');
    directory = join(parent, 'file', 'data');
    await expect(get()).rejects.toThrow(/^data: .*file\/data can't be made: ENOTDIR.*Name another folder\.$/);
    expect(asked).toHaveLength(0);
  });
});

describe('an archive of which little is read', () => {
  let sent: number;
  let only: Archive;
  const partOf = () => join(directory, 'tiny-bin.tar.gz.part');

  /** Those that are read come first, then four megabytes that nobody reads. */
  beforeEach(async () => {
    const folder = join(parent, 'original', 'tiny-bin');
    const noise = Buffer.concat(
      Array.from({ length: 131_072 }, (_, k) => Buffer.from(hash('sha256', Buffer.from(`${k}`)), 'hex')),
    );
    writeFileSync(join(folder, 'unlabeled.bin'), noise);
    const path = join(parent, 'large.tar.gz');
    const names = ['readme.html', 'train.bin', 'test.bin', 'unlabeled.bin'].map((name) => `tiny-bin/${name}`);
    await create({ gzip: true, file: path, cwd: join(parent, 'original') }, names);
    bytes = readFileSync(path);
    expect(bytes.length).toBeGreaterThan(4e6);
    only = { ...archive, size: bytes.length, md5: '', sha256: '', onlyThese: true };
    sent = 0;
    answer = slowly;
  });

  /** As a network does: in pieces, and no more once the other end has gone. */
  function slowly(request: IncomingMessage, response: ServerResponse): void {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': bytes.length - start,
      ...version,
      ...(start > 0 && range),
    });
    let at = start;
    const more = () => {
      if (response.destroyed || at >= bytes.length) return response.end();
      sent += Math.min(16_384, bytes.length - at);
      response.write(bytes.subarray(at, at + 16_384));
      at += 16_384;
      return setTimeout(more, 2);
    };
    more();
  }

  const take = (lines: string[] = []) => getArchive(only, { directory, log: (line) => lines.push(line) });

  async function expectThese(): Promise<void> {
    expect((await checkArchive(only, directory)).map(({ state }) => state)).toEqual(['right', 'right']);
    expect(readdirSync(directory)).toEqual(['tiny-bin']);
    expect(readdirSync(join(directory, 'tiny-bin')).sort()).toEqual(['test.bin', 'train.bin']);
  }

  it('is downloaded until they are there, and no further', async () => {
    const lines: string[] = [];
    expect(await take(lines)).toMatchObject({ made: true });
    await expectThese();
    expect(sent).toBeLessThan(bytes.length / 2);
    expect(lines).toContain('of it train.bin, test.bin are kept; once they are there, the rest need not come');
    expect(lines.at(-1)).toMatch(/^all are there after 0\.\d MB$/);
    expect(await take()).toMatchObject({ made: false });
  });

  it('goes on where the connection was cut, within one of them', async () => {
    answer = cutAfter(20_000);
    await expect(take()).rejects.toThrow(/The 20000 bytes so far are kept in .*; the same command goes on from there/);
    expect(statSync(partOf()).size).toBe(20_000);
    expect(existsSync(join(directory, 'tiny-bin.tmp'))).toBe(false);
    answer = slowly;
    await take();
    expect(asked.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=20000-']);
    await expectThese();
  });

  it('is taken from what came before as far as that goes: whole, it is not asked for', async () => {
    mkdirSync(directory);
    writeFileSync(partOf(), bytes);
    await take();
    expect(asked).toHaveLength(0);
    await expectThese();
  });

  it.each<[string, (right: Buffer) => Buffer, RegExp]>([
    [
      'a file in it is another',
      (right) => right,
      /the checksum of test\.bin is [0-9a-f]{64}, and should be 00\. It was/,
    ],
    [
      'it was damaged',
      (right) => {
        right[15_000]! ^= 255;
        return right;
      },
      /^data: what was downloaded is not tiny: /,
    ],
    [
      'it is no archive',
      (right) => Buffer.alloc(right.length, 'no archive '),
      /^data: what was downloaded is not tiny: /,
    ],
  ])('is refused, and nothing kept, where %s', async (_, change, message) => {
    if (_.startsWith('a file')) only = { ...only, files: { ...only.files, 'test.bin': { sha256: '00' } } };
    bytes = change(Buffer.from(bytes));
    await expect(take()).rejects.toThrow(message);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is refused where one of them is not in it', async () => {
    only = { ...only, files: { ...only.files, 'more.bin': { sha256: '00' } } };
    answer = whole;
    await expect(take()).rejects.toThrow(
      'data: what was downloaded is not tiny: it has no more.bin. It is another file.',
    );
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('checkArchive', () => {
  it('tells right from wrong and missing, in the folder itself and above it', async () => {
    answer = whole;
    await get();
    const folder = join(directory, 'tiny-bin');
    const states = async (where: string) => (await checkArchive(archive, where)).map(({ state }) => state);
    expect(await states(folder)).toEqual(['right', 'right']);
    writeFileSync(join(folder, 'train.bin'), 'damaged');
    rmSync(join(folder, 'test.bin'));
    expect(await states(directory)).toEqual(['wrong', 'missing']);
    expect(await states(join(parent, 'none'))).toEqual(['missing', 'missing']);
  });
});
