let isOutliving = false;

/**
 * Lets the program go on where nobody reads any more what it says (`2>&1 | head`): what it measures is worth more than
 * its words, which from then on go nowhere. By itself Node.js ends a program at such a write.
 */
export function outliveClosedPipes(): void {
  if (isOutliving) return;
  isOutliving = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
