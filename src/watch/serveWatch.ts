import { createHash, randomBytes } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { BrinkError } from '../core/errors.ts';
import { cookieOf, isSame, refusal } from './admit.ts';
import { byteRange } from './byteRange.ts';
import { packState } from './packedState.ts';
import { pageFiles, pageHtml } from './pageFiles.ts';
import { WatchedFolder } from './WatchedFolder.ts';

const WHO = 'watch';

/** How a folder is watched. */
export interface WatchOptions {
  /** Default: one that is free. */
  readonly port?: number;
  /** The address to listen on; default: 127.0.0.1, which no other machine reaches. */
  readonly host?: string;
  /** Ends the server when nothing was asked for so long, in milliseconds, and nothing runs. Default: never. */
  readonly idle?: number;
}

/** A server at work. */
export interface WatchServer {
  /** Where the page is, with the token that lets one in. */
  readonly url: string;
  readonly port: number;
  /** Resolves once it is closed. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** No script, style or byte but the server's own, and no page around it. */
export const CONTENT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const COMMON = {
  'Content-Security-Policy': CONTENT_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

/**
 * Serves the live page of a folder, and what it reads: `/state`, and `/data/RUN/TABLE` in ranges of bytes. It reads
 * files and writes none; whatever happens to it, training does not notice.
 *
 * Whoever comes with the token of the URL gets a cookie; everything else asks for that. Other users of the machine
 * reach the port, and pages of other sites can try to: neither knows the token.
 *
 * @throws BrinkError where there is no run in the folder, or the port can't be had.
 */
export async function serveWatch(directory: string, options: WatchOptions = {}): Promise<WatchServer> {
  const { port: wanted = 0, host = '127.0.0.1', idle } = options;
  const folder = new WatchedFolder(directory);
  const files = await pageFiles();
  const token = randomBytes(24).toString('base64url');
  let port = wanted;
  let asked = Date.now();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    asked = Date.now();
    const refused = refusal(request, { port, host });
    if (refused) {
      send(
        response,
        refused.status,
        'text/plain',
        `${refused.why}\n`,
        refused.status === 405 ? { Allow: 'GET, HEAD' } : {},
      );
      return;
    }
    const url = new URL(request.url ?? '/', 'http://localhost');
    const cookie = `brink-${port}`;
    const given = url.searchParams.get('token');
    if (url.pathname === '/' && given !== null && isSame(given, token)) {
      const kept = `${cookie}=${token}; Path=/; HttpOnly; SameSite=Strict`;
      send(response, 303, 'text/plain', '', { Location: '/', 'Set-Cookie': kept });
      return;
    }
    if (!isSame(cookieOf(request.headers, cookie) ?? '', token)) {
      send(response, 401, 'text/plain', 'Open the address that `brink watch` has printed: it has a token.\n');
      return;
    }
    if (url.pathname === '/') return send(response, 200, 'text/html; charset=utf-8', pageHtml());
    if (url.pathname === '/state') return sendState(request, response);
    const file = files.get(url.pathname);
    if (file) return send(response, 200, file.type, file.text);
    const [, run, table, ...more] = url.pathname.slice(1).split('/');
    if (url.pathname.startsWith('/data/') && more.length === 0) {
      return sendTable(request, response, run!, table ?? '', url.searchParams.get('g') ?? '');
    }
    send(response, 404, 'text/plain', 'There is nothing here.\n');
  }

  async function sendState(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = JSON.stringify(packState(await folder.state()));
    const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
    const headers = { ETag: tag, 'Cache-Control': 'no-cache' };
    if (request.headers['if-none-match'] === tag) send(response, 304, 'application/json', '', headers);
    else send(response, 200, 'application/json', text, headers);
  }

  async function sendTable(
    request: IncomingMessage,
    response: ServerResponse,
    run: string,
    id: string,
    generation: string,
  ): Promise<void> {
    let place = folder.place(run, id);
    if (place === undefined) {
      await folder.state();
      place = folder.place(run, id);
    }
    if (place === undefined) return send(response, 404, 'text/plain', 'There is no such table.\n');
    const stale = 'This table was overwritten or finished meanwhile; ask for the state.\n';
    let handle: number;
    try {
      handle = openSync(place.path, 'r');
    } catch {
      return send(response, 409, 'text/plain', stale);
    }
    try {
      const { ino, size } = fstatSync(handle);
      const { table, inode } = place;
      // A finished file that has another size was written over since it was looked at.
      const isOther =
        ino !== inode || (table.format === 'parquet' ? size !== table.wholeBytes : size < table.wholeBytes);
      if (generation !== table.generation || isOther) return send(response, 409, 'text/plain', stale);
      const whole = table.wholeBytes;
      const range = byteRange(request.headers.range, whole);
      const headers = { 'Accept-Ranges': 'bytes', ETag: `"${generation}"` };
      const type = 'application/octet-stream';
      if (range === 'none') return send(response, 416, type, '', { ...headers, 'Content-Range': `bytes */${whole}` });
      const { first, last } = range ?? { first: 0, last: whole - 1 };
      response.writeHead(range ? 206 : 200, {
        ...COMMON,
        ...headers,
        'Content-Type': type,
        'Content-Length': last - first + 1,
        ...(range && { 'Content-Range': `bytes ${first}-${last}/${whole}` }),
      });
      if (request.method === 'HEAD' || last < first) {
        response.end();
        return;
      }
      await pipeline(createReadStream('', { fd: handle, autoClose: false, start: first, end: last }), response);
    } finally {
      closeSync(handle);
    }
  }

  function send(
    response: ServerResponse,
    status: number,
    type: string,
    text: string,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    const body = Buffer.from(text);
    const length: Record<string, number> = status === 304 ? {} : { 'Content-Length': body.length };
    response.writeHead(status, { ...COMMON, 'Content-Type': type, ...length, ...headers });
    response.end(response.req.method === 'HEAD' ? undefined : body);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => {
      // Who has gone away needs no answer.
      if (response.headersSent || response.destroyed) response.destroy();
      else send(response, 500, 'text/plain', `${error.message}\n`);
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const advice = cause.code === 'EADDRINUSE' ? 'Name another by --port, or none.' : 'Name another address or port.';
      failed(
        new BrinkError(WHO, `${host}, port ${wanted}, can't be listened on: ${cause.message}. ${advice}`, { cause }),
      );
    });
    server.listen(wanted, host, listening);
  });
  port = (server.address() as AddressInfo).port;
  const closed = new Promise<void>((done) => server.once('close', done));
  const close = async () => {
    clearInterval(watchman);
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const watchman =
    idle === undefined
      ? undefined
      : setInterval(
          async () => {
            const { runs } = await folder.state();
            if (Date.now() - asked > idle && runs.every(({ state }) => state !== 'running')) await close();
          },
          Math.min(idle, 30_000),
        );
  const shown = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${shown}:${port}/?token=${token}`, port, closed, close };
}
