/** A word of a command as a shell reads it: in quotes where it needs them. */
export const shellWord = (text: string): string =>
  /^[\w./:=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
