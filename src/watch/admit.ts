import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** What a request says of itself, as far as it decides whether it is answered. */
export interface Asking {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** What a server is told to answer to. */
export interface Doors {
  readonly port: number;
  /** The address that it listens on; beyond this machine, names of the machine are answered to as well. */
  readonly host: string;
}

/** Why a request is refused, with its status; null where it may be answered. */
export function refusal({ method, headers }: Asking, doors: Doors): { status: number; why: string } | null {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, why: 'only GET and HEAD are answered' };
  const host = headers.host ?? '';
  // A page of a foreign name that was made to point here (DNS rebinding) names itself in Host.
  if (!isOwnHost(host, doors)) return { status: 403, why: `this server is not ${host || 'one without a name'}` };
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return { status: 403, why: `requests from elsewhere (${site}) are refused; paste the address into the browser` };
  }
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) {
    return { status: 403, why: `requests from ${origin} are refused` };
  }
  return null;
}

/** Whether a Host header names this server: by structure, as nothing is looked up. */
export function isOwnHost(header: string, { port, host }: Doors): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:]+)(?::(\d+))?$/i.exec(header);
  if (match === null) return false;
  const name = match[1]!.toLowerCase();
  if (Number(match[2] ?? 80) !== port) {
    // A tunnel (ssh -L) may lead from another port, to a loopback name all the same.
    if (!isLoopback(name)) return false;
  }
  if (isLoopback(name)) return true;
  // Whoever listens beyond this machine has named an address; only addresses, and that name, can't be rebound.
  const bare = name.replace(/^\[|\]$/g, '');
  return !isLoopback(host) && (isIP(bare) !== 0 || bare === host.toLowerCase());
}

/** Whether a name is of this machine alone: localhost, 127.0.0.0/8, ::1. */
export function isLoopback(name: string): boolean {
  const bare = name.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Whether two texts are one, in a time that says nothing of where they differ. */
export function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** A cookie of a request. */
export function cookieOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  return headers.cookie
    ?.split(/;\s*/)
    .map((pair) => pair.split('='))
    .find(([key]) => key === name)?.[1];
}
