import { isAbsolute, relative, sep } from 'node:path';

/** Whether one path lies below another; not where both are one. */
export function isWithin(folder: string, path: string): boolean {
  const within = relative(folder, path);
  return within !== '' && within !== '..' && !within.startsWith(`..${sep}`) && !isAbsolute(within);
}
