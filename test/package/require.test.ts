import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('a clone can be had by require() too', () => {
  const program = "console.log(require('brink').leastSquares({ X: [[1, 0]], y: [1] }).paramCount)";
  const options = { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8' } as const;
  expect(execFileSync(process.execPath, ['--input-type=commonjs', '--eval', program], options)).toBe('2\n');
});
