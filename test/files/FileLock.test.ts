import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileLock, holderOf } from '../../src/files/FileLock.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-lock-'));
  path = join(folder, 'file');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE = JSON.stringify(join(import.meta.dirname, '../../src/files/FileLock.ts'));

/** A process that takes the lock, says so, and holds it while its standard input is open. */
async function holder() {
  const program = `import { FileLock } from ${SOURCE};
    console.log(FileLock.take(${JSON.stringify(path)}) instanceof FileLock ? 'mine' : 'not mine');
    process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = await new Promise((resolve) => child.stdout.once('data', (bytes) => resolve(String(bytes).trim())));
  const gone = new Promise((resolve) => child.once('close', resolve));
  return { child, said, gone };
}

describe('the lock of a file', () => {
  it("is one process's at a time, and free again as it lets go", () => {
    const lock = FileLock.take(path) as FileLock;
    expect(lock).toBeInstanceOf(FileLock);
    expect(FileLock.take(path)).toMatchObject({ pid: process.pid });
    expect(holderOf(path)).toMatchObject({ pid: process.pid });
    lock.release();
    expect(holderOf(path)).toBeNull();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken past what a process of the same number has left while it asked, as in a container', () => {
    const left = Array.from({ length: 100 }, (_, k) => `file.lock.${process.pid}.${k}`);
    for (const name of left) writeFileSync(join(folder, name), '');
    const lock = FileLock.take(path) as FileLock;
    expect(lock).toBeInstanceOf(FileLock);
    lock.release();
    expect(readdirSync(folder).sort()).toEqual(left.sort());
  });

  it('ends with its process, killed as it may be', async () => {
    const { child, said, gone } = await holder();
    expect(said).toBe('mine');
    expect(FileLock.take(path)).toMatchObject({ pid: child.pid });
    child.kill('SIGKILL');
    await gone;
    expect(existsSync(`${path}.lock`)).toBe(true);
    expect(holderOf(path)).toBeNull();
    const lock = FileLock.take(path) as FileLock;
    expect(lock).toBeInstanceOf(FileLock);
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is free where a process of the same number, in a container that shares the folder, was killed as it took it', () => {
    for (let k = 0; k < 100; k++) writeFileSync(`${path}.lock.${process.pid}.${k}`, '');
    const lock = FileLock.take(path) as FileLock;
    expect(lock).toBeInstanceOf(FileLock);
    lock.release();
  });

  it('that a crash left goes to one of several processes that want it at once', async () => {
    for (let round = 0; round < 3; round++) {
      const first = await holder();
      first.child.kill('SIGKILL');
      await first.gone;
      const several = await Promise.all([1, 2, 3, 4].map(holder));
      expect(several.map(({ said }) => said).sort()).toEqual(['mine', 'not mine', 'not mine', 'not mine']);
      for (const { child } of several) child.kill('SIGKILL');
      await Promise.all(several.map(({ gone }) => gone));
    }
  });

  it('of another machine holds as long as it is renewed', () => {
    writeFileSync(`${path}.lock`, JSON.stringify({ host: 'elsewhere', pid: 4 }));
    expect(holderOf(path)).toEqual({ host: 'elsewhere', pid: 4 });
    expect(FileLock.take(path)).toEqual({ host: 'elsewhere', pid: 4 });
    const long = new Date(Date.now() - 20 * 60_000);
    utimesSync(`${path}.lock`, long, long);
    expect(holderOf(path)).toBeNull();
    const lock = FileLock.take(path) as FileLock;
    expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8'))).toMatchObject({ pid: process.pid });
    lock.release();
  });

  it("is nobody's where something else stands in its place", () => {
    writeFileSync(`${path}.lock`, 'half a lo');
    expect(holderOf(path)).toBeNull();
    const lock = FileLock.take(path) as FileLock;
    expect(lock).toBeInstanceOf(FileLock);
    lock.release();
  });
});
