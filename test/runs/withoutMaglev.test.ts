import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** How often a hot loop is compiled by Maglev and by TurboFan, once a module has been imported. */
function compiledAfter(imported: string) {
  const program = `
    await import(${JSON.stringify(imported)});
    console.log('imported');
    const values = Float64Array.from({ length: 1000 }, (_, i) => i);
    function sum() { let total = 0; for (let i = 0; i < values.length; i++) total += values[i]; return total; }
    for (let k = 0; k < 2e5; k++) sum();
    process.exit(0);`;
  const args = ['--trace-opt', '--input-type=module', '-e', program];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect(status).toBe(0);
  const lines = stdout.slice(stdout.indexOf('imported')).split('\n');
  const begun = lines.filter((line) => line.includes('compiling method') && line.includes('<JSFunction sum'));
  const by = (compiler: string) => begun.filter((line) => line.includes(compiler)).length;
  return { maglev: by('MAGLEV'), turbofan: by('TURBOFAN') };
}

describe('the compiler that gives wrong numbers', () => {
  it('is there until brink is imported, so that this test can tell', () => {
    expect(compiledAfter('node:v8').maglev).toBeGreaterThan(0);
  });

  it('compiles nothing once brink is imported, and the one behind it does', () => {
    const { maglev, turbofan } = compiledAfter('brink');
    expect(maglev).toBe(0);
    expect(turbofan).toBeGreaterThan(0);
  });
});
