import { describe, expect, it } from 'vitest';
import { sparkline, textTable } from '../../src/cli/text.ts';

describe('sparkline', () => {
  it('rises where the numbers rise', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
  });

  it('is flat where they are equal, also in parts that have to be averaged', () => {
    expect(sparkline(Array(97).fill(0.2), 8)).toBe('▁▁▁▁▁▁▁▁');
    expect(sparkline(Array(200_000).fill(0.2), 1)).toBe('▁');
  });

  it('is no wider than asked, and averages each part', () => {
    expect(sparkline([0, 2, 8, 8, 4, 4], 3)).toBe('▁█▄');
  });

  it('leaves a gap for null, and shows that a part is not finite', () => {
    expect(sparkline([0, null, Number.NaN, Number.POSITIVE_INFINITY, 1])).toBe('▁ ××█');
  });

  it('survives numbers whose difference is no number', () => {
    expect(sparkline([-1.7e308, 1.7e308])).toHaveLength(2);
    expect(sparkline([])).toBe('');
  });
});

describe('textTable', () => {
  it('aligns its columns on the left, where marks above a letter take no place', () => {
    const rows = [
      ['x̂_1', '1', ''],
      ['longer', '20', 'last'],
    ];
    expect(textTable(rows, '  ')).toBe('  x̂_1     1\n  longer  20  last');
    expect(textTable([])).toBe('');
  });
});
