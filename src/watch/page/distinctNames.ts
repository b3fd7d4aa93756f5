/** Names without the words that all of them begin with: there is little room at a line's end. */
export function distinctNames(names: readonly string[]): string[] {
  const [first = '', ...others] = names;
  if (others.length === 0) return [...names];
  let shared = 0;
  while (shared < first.length && others.every((name) => name[shared] === first[shared])) shared++;
  const words = /^.*[-_/= ]/s.exec(first.slice(0, shared))?.[0].length ?? 0;
  return names.map((name) => name.slice(words) || name);
}
