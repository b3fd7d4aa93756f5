let isOutliving = false;

/** What a write says where its reader is gone: the other end of a pipe, a terminal. */
const GONE = ['EPIPE', 'EIO'];

/**
 * Lets the program go on where nobody reads any more what it says (`2>&1 | head`, a terminal that was closed), or
 * where that has no place: what it measures is worth more than its words, which from then on go nowhere. By itself
 * Node.js ends a program at such a write. Where standard output has no place, as on a full disk, `process.exitCode`
 * becomes 1.
 */
export function outliveClosedPipes(): void {
  if (isOutliving) return;
  isOutliving = true;
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (GONE.includes(error.code ?? '')) return;
    process.exitCode = 1;
    process.stderr.write(`standard output can't be written: ${error.message}\n`);
  });
}
