import { afterEach, expect, it, vi } from 'vitest';
import { browserOrSkip } from '../helpers/browser.ts';

afterEach(() => vi.unstubAllEnvs());

it('skips by name the tests that need a browser where there is none, or fails where one is required', () => {
  const notes: string[] = [];
  const skip = (note: string) => void notes.push(note);
  vi.stubEnv('BRINK_REQUIRE_BROWSER', '');
  browserOrSkip({ skip }, []);
  expect(notes).toEqual([expect.stringContaining('there is no Chromium (apt-get install chromium)')]);
  vi.stubEnv('BRINK_REQUIRE_BROWSER', '1');
  expect(() => browserOrSkip({ skip }, [])).toThrow(/there is no Chromium/);
  expect(browserOrSkip({ skip }, [undefined, process.execPath])).toBe(process.execPath);
  expect(notes).toHaveLength(1);
});
