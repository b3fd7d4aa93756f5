import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chart, rule, writeSvg } from '../../src/index.ts';

const spec = chart({
  description: 'The edge of stability.',
  x: { title: 'step t', domain: [0, 100] },
  y: { title: 'λ₁' },
  layers: [rule({ name: '2/η', y: 10 })],
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-svg-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('writeSvg', () => {
  it('makes the folders that are missing', async () => {
    const path = join(folder, 'a/b/edge.svg');
    await writeSvg(spec, path);
    expect(readFileSync(path, 'utf8')).toMatch(/^<svg.*<\/svg>\n$/s);
  });

  it('leaves the picture that was there where the new one is refused, and says whose file it is', async () => {
    const path = join(folder, 'edge.svg');
    writeFileSync(path, 'the old one');
    // What is written aside meets a folder of its name.
    mkdirSync(`${path}.tmp`);
    await expect(writeSvg(spec, path)).rejects.toThrow(/^writeSvg: .*edge\.svg can't be written: EISDIR.* Name a file/);
    expect(readFileSync(path, 'utf8')).toBe('the old one');
  });

  it.skipIf(process.platform !== 'linux')('refuses a folder that cannot be made, rather than hang', async () => {
    await expect(writeSvg(spec, '/proc/brink/edge.svg')).rejects.toThrow(/^writeSvg: /);
  });
});
