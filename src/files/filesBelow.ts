import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The files in a folder and those below it, as paths within it, in order. Links are followed, and what has several
 * names is listed under one: its own, where it lies there itself.
 */
export function filesBelow(folder: string): string[] {
  const found = new Map<string, string>();
  const entered = new Set<string>();
  const links: string[] = [];

  function visit(path: string): void {
    const whole = join(folder, path);
    const status = statSync(whole, { throwIfNoEntry: false });
    const real = status && realpathSync(whole);
    if (real === undefined) return;
    if (!status?.isDirectory()) {
      if (!found.has(real)) found.set(real, path);
      return;
    }
    if (entered.has(real)) return;
    entered.add(real);
    for (const entry of readdirSync(whole, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const next = join(path, entry.name);
      if (entry.isSymbolicLink()) links.push(next);
      else visit(next);
    }
  }

  visit('');
  // Those that links lead to add links of their own.
  for (const link of links) visit(link);
  return [...found.values()].sort();
}
