import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toy } from '../../src/objectives/quadratic.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { record } from '../../src/recording/record.ts';
import { run } from '../../src/runs/run.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { unpackState } from '../../src/watch/packedState.ts';
import { CONTENT_POLICY, serveWatch, type WatchServer } from '../../src/watch/serveWatch.ts';
import { WatchedFolder } from '../../src/watch/WatchedFolder.ts';
import { NumbersLog, numbersTable } from './writeLog.ts';

let folder: string;
let server: WatchServer;
let cookie: string;

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks as no browser would let a page do: with any Host. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET', to = server): Promise<Answer> {
  return new Promise((done, failed) => {
    const asked = request({ host: '127.0.0.1', port: to.port, path, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () =>
        done({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    asked.on('error', failed);
    asked.end();
  });
}
const own = (headers: Record<string, string> = {}) => ({ cookie, ...headers });
const stateOf = async () => unpackState(JSON.parse((await ask('/state', own())).body.toString()));
const fresh = () => new Promise((done) => setTimeout(done, 450));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'brink-watch-'));
  await run(
    gradientDescent(toy(), { learningRate: 0.01, steps: 30 }),
    {
      loss: (s) => s.pipe(trainingLoss(), toArrow()),
      eigenvalues: (s) => s.pipe(topEigenvalues({ count: 2 }), toParquet()),
      recording: (s) => s.pipe(record()),
    },
    { directory: join(folder, 'one'), progress: false },
  );
  await run(
    gradientDescent(toy(), { learningRate: 0.02, steps: 3 }),
    { loss: (s) => s.pipe(trainingLoss(), toArrow()) },
    { directory: join(folder, 'deep', 'two'), progress: false },
  );
  server = await serveWatch(folder);
  const { headers } = await ask(`/${new URL(server.url).search}`);
  cookie = headers['set-cookie']![0]!.split(';')[0]!;
}, 60_000);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('whoever asks the server', () => {
  it('needs the token, which becomes a cookie that no script reads and no other site sends', async () => {
    const { pathname, search } = new URL(server.url);
    const entered = await ask(pathname + search);
    expect(entered.status).toBe(303);
    expect(entered.headers.location).toBe('/');
    expect(entered.headers['set-cookie']![0]).toMatch(/; HttpOnly; SameSite=Strict$/);
    for (const path of ['/', '/state', '/page.js', '/data/r0/t1', '/?token=guessed']) {
      expect((await ask(path)).status, path).toBe(401);
      expect((await ask(path, { cookie: `${cookie.split('=')[0]}=guessed` })).status, path).toBe(401);
    }
    expect((await ask('/', own())).status).toBe(200);
  });

  it('names this server: a foreign Host, as of a rebound name, gets 403', async () => {
    const foreign = [
      'evil.example',
      `evil.example:${server.port}`,
      '10.0.0.1',
      'localhost.evil.example',
      '127.0.0.1.nip.io',
    ];
    for (const host of foreign) expect((await ask('/state', own({ host }))).status, host).toBe(403);
    const ours = ['localhost', 'LOCALHOST', '127.0.0.1', '127.8.8.8', '[::1]'].map((name) => `${name}:${server.port}`);
    // A tunnel leads from another port.
    for (const host of [...ours, 'localhost:9999']) expect((await ask('/state', own({ host }))).status, host).toBe(200);
  });

  it('comes from its own page: other origins and sites get 403, other methods 405', async () => {
    for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${server.port + 1}`]) {
      expect((await ask('/state', own({ origin }))).status, origin).toBe(403);
    }
    expect((await ask('/state', own({ origin: `http://127.0.0.1:${server.port}` }))).status).toBe(200);
    for (const site of ['cross-site', 'same-site']) {
      expect((await ask('/state', own({ 'sec-fetch-site': site }))).status, site).toBe(403);
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const { status, headers } = await ask('/state', own(), method);
      expect([status, headers.allow], method).toEqual([405, 'GET, HEAD']);
    }
  });

  it('gets a policy with every answer that lets nothing in from elsewhere, on the worker’s script too', async () => {
    for (const path of ['/', '/worker.js', '/page.js', '/page.css', '/state', '/nothing']) {
      const { headers } = await ask(path, own());
      expect(headers['content-security-policy'], path).toBe(CONTENT_POLICY);
      expect(headers['x-content-type-options'], path).toBe('nosniff');
    }
    expect(CONTENT_POLICY).toContain("default-src 'none'");
    expect(CONTENT_POLICY).not.toMatch(/unsafe|\*|https?:/);
  });

  it('names tables by ids: no path leads anywhere', async () => {
    const paths = [
      '/data/../../etc/passwd',
      '/data/r0/..%2frun.json',
      '/data/one/loss',
      '/../package.json',
      '/data/r0',
    ];
    for (const path of paths) expect((await ask(path, own())).status, path).toBe(404);
  });
});

describe('/state', () => {
  it('tells of every run below the folder: its state, its tables, its recording', async () => {
    const { runs } = await stateOf();
    expect(runs.map(({ name, state, steps }) => [name, state, steps])).toEqual([
      ['deep/two', 'finished', 4],
      ['one', 'finished', 31],
    ]);
    const one = runs[1]!;
    expect(one.tables.map(({ name, format, rows, state }) => [name, format, rows, state])).toEqual([
      ['eigenvalues', 'parquet', 31, 'finished'],
      ['loss', 'arrow', 31, 'finished'],
    ]);
    expect(one.recordings).toMatchObject([{ count: 31, first: 0, last: 30, every: 1 }]);
    expect(one.tables[1]!.declaration!.columns.loss!.symbol).toBe('L');
  });

  it('says each declaration once, however many runs have such a table', async () => {
    const packed = JSON.parse((await ask('/state', own())).body.toString());
    const names = packed.declarations.map(({ name }: { name: string }) => name);
    expect(names.toSorted()).toEqual(['eigenvalues', 'loss']);
    const tables = packed.runs.flatMap((run: { tables: { name: string; declaration: number }[] }) => run.tables);
    expect(tables).toHaveLength(3);
    for (const { name, declaration } of tables) expect(names[declaration]).toBe(name);
  });

  it('is answered with 304 where nothing has changed', async () => {
    const { headers } = await ask('/state', own());
    const again = await ask('/state', own({ 'if-none-match': headers.etag! }));
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  it('tells of a log no more than is whole, and goes on from there', async () => {
    const directory = join(folder, 'growing');
    mkdirSync(directory);
    writeFileSync(
      join(directory, 'run.json'),
      JSON.stringify({
        state: 'running',
        metadata: {},
        started: 'now',
        finished: null,
        process: { host: 'elsewhere', pid: 1 },
      }),
    );
    const path = join(directory, 'loss');
    const log = new TableLog(trainingLoss.table, path, { format: 'arrow', metadata: {} });
    const row = {
      epoch: 0,
      loss: 1,
      accuracy: null,
      test_loss: null,
      test_accuracy: null,
      batch_loss: 1,
      learning_rate: 0.1,
      gradient_norm: 1,
    };
    const look = async () => {
      await fresh();
      const { runs } = await stateOf();
      return runs.find(({ name }) => name === 'growing')!.tables[0]!;
    };
    for (let step = 0; step < 256; step++) log.append({ ...row, step });
    const first = await look();
    expect([first.rows, first.state]).toEqual([256, 'being written']);
    expect(first.wholeBytes).toBe(statSync(`${path}.arrows.part`).size);
    for (let step = 256; step < 512; step++) log.append({ ...row, step });
    const second = await look();
    expect(second.rows).toBe(512);
    expect(second.generation).toBe(first.generation);

    const { run: _, id, generation } = second;
    const runId = (await stateOf()).runs.find(({ name }) => name === 'growing')!.id;
    const data = (headers = {}) => ask(`/data/${runId}/${id}?g=${generation}`, own(headers));
    // Half of a message, as a process that is stopped leaves it.
    appendFileSync(`${path}.arrows.part`, Uint8Array.of(255, 255, 255, 255, 80, 0, 0, 0, 1, 2, 3));
    expect((await look()).wholeBytes).toBe(second.wholeBytes);
    const all = await data();
    expect([all.status, all.body.length]).toEqual([200, second.wholeBytes]);
    const beyond = await data({ range: `bytes=${second.wholeBytes}-` });
    expect(beyond.status).toBe(416);
    expect((await data({ range: `bytes=${second.wholeBytes - 8}-${second.wholeBytes + 99}` })).body.length).toBe(8);

    // The name changes as the log is ended; the file does not.
    log.finish();
    const ended = await look();
    expect([ended.file, ended.generation, ended.rows]).toEqual(['loss.arrows', second.generation, 512]);
  });
});

describe('/data', () => {
  const tableOf = async (name: string) => {
    const { id, tables } = (await stateOf()).runs.find((run) => run.name === 'one')!;
    const table = tables.find((one) => one.name === name)!;
    return { table, path: `/data/${id}/${table.id}?g=${table.generation}` };
  };

  it('gives the bytes of the file, or the part that is asked for', async () => {
    const { table, path } = await tableOf('eigenvalues');
    const file = readFileSync(join(folder, 'one', table.file));
    expect((await ask(path, own())).body.equals(file)).toBe(true);
    for (const [range, from, to] of [
      ['bytes=10-19', 10, 20],
      ['bytes=-8', file.length - 8, file.length],
      ['bytes=100-', 100, file.length],
    ] as const) {
      const part = await ask(path, own({ range }));
      expect(part.status).toBe(206);
      expect(part.headers['content-range']).toBe(`bytes ${from}-${to - 1}/${file.length}`);
      expect(part.body.equals(file.subarray(from, to)), range).toBe(true);
    }
    const head = await ask(path, own(), 'HEAD');
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, `${file.length}`, 0]);
  });

  it('refuses with 409 what was meant for a file that was overwritten', async () => {
    const { table, path } = await tableOf('loss');
    expect((await ask(path.replace(/g=.*/, 'g=another'), own())).status).toBe(409);
    const whole = join(folder, 'one', table.file);
    const bytes = readFileSync(whole);
    writeFileSync(`${whole}.new`, bytes);
    renameSync(`${whole}.new`, whole);
    // Before the state is looked at again, and after.
    expect((await ask(path, own())).status).toBe(409);
    await fresh();
    const { path: next } = await tableOf('loss');
    expect(next).not.toBe(path);
    expect((await ask(next, own())).status).toBe(200);
  });
});

describe('serveWatch', () => {
  it('says what is missing', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    await expect(serveWatch(empty)).rejects.toThrow(/holds no run \(run\.json\)/);
    await expect(serveWatch(join(folder, 'nowhere'))).rejects.toThrow(/there is no folder .*nowhere/);
    await expect(serveWatch(join(folder, 'x'.repeat(300)))).rejects.toThrow(/^watch: .* can't be opened: ENAMETOOLONG/);
    await expect(serveWatch(folder, { port: server.port })).rejects.toThrow(
      /port \d+, can't be listened on: .*EADDRINUSE/,
    );
  });

  it('reads a run that takes the place of another from the beginning, also where its files have the same numbers', async () => {
    const directory = join(folder, 'overwritten');
    const numbers = (pid: number, description: string) => {
      mkdirSync(directory);
      const of = {
        state: 'running',
        metadata: { source: null },
        started: 'now',
        finished: null,
        process: { host: 'elsewhere', pid },
      };
      writeFileSync(join(directory, 'run.json'), JSON.stringify(of));
      return new NumbersLog(directory, 'loss', { ...numbersTable('loss'), description });
    };
    const watched = new WatchedFolder(folder);
    const look = async () => {
      await fresh();
      const { tables } = (await watched.state()).runs.find(({ name }) => name === 'overwritten')!;
      return tables.map(({ rows, problem, declaration }) => [rows, problem, declaration?.description]);
    };
    const first = numbers(1, 'One.');
    first.add(50, (step) => step);
    first.close();
    expect(await look()).toEqual([[50, null, 'One.']]);
    rmSync(directory, { recursive: true });
    // Most file systems give its number to the next file.
    const second = numbers(2, 'Another, of more words.');
    for (let k = 0; k < 30; k++) second.add(7, (step) => step);
    second.close();
    expect(await look()).toEqual([[210, null, 'Another, of more words.']]);
    rmSync(directory, { recursive: true });
  });

  it('notices a finished table that is written over in place, and tells it apart', async () => {
    const directory = join(folder, 'replaced');
    const train = (name: string, steps: number) =>
      run(
        gradientDescent(toy(), { learningRate: 0.01, steps }),
        { loss: (s) => s.pipe(trainingLoss(), toParquet()), log: (s) => s.pipe(trainingLoss(), toArrow()) },
        { directory: join(directory, name), progress: false },
      );
    await train('a', 5);
    await train('b', 9);
    const watched = new WatchedFolder(join(directory, 'a'));
    const look = async () =>
      (await watched.state()).runs[0]!.tables.map(({ rows, generation }) => ({ rows, generation }));
    const before = await look();
    expect(before.map(({ rows }) => rows)).toEqual([6, 6]);
    for (const file of ['loss.parquet', 'log.arrows']) {
      copyFileSync(join(directory, 'b', file), join(directory, 'a', file));
    }
    await fresh();
    const after = await look();
    expect(after.map(({ rows }) => rows)).toEqual([10, 10]);
    for (const [k, { generation }] of after.entries()) expect(generation).not.toBe(before[k]!.generation);
    await fresh();
    expect(await look()).toEqual(after);
    rmSync(directory, { recursive: true });
  });

  it('takes a recording for the run that made it', async () => {
    const other = await serveWatch(join(folder, 'one', 'recording.arrows'));
    const { headers } = await ask(`/${new URL(other.url).search}`, {}, 'GET', other);
    const answer = await ask('/state', { cookie: headers['set-cookie']![0]!.split(';')[0]! }, 'GET', other);
    expect(JSON.parse(answer.body.toString()).runs).toMatchObject([{ name: '.', steps: 31 }]);
    await other.close();
  });

  it('ends by itself where nothing runs and nobody looks', async () => {
    const other = await serveWatch(join(folder, 'one'), { idle: 200 });
    await other.closed;
    await expect(ask('/', {}, 'GET', other)).rejects.toThrow(/ECONNREFUSED/);
  });
});
