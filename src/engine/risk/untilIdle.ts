/** Runs passes. When none has begun by the next turn of the event loop nobody asks any more: then `drop` is called. */
export function untilIdle(drop: () => void): <R>(pass: () => Promise<R>) => Promise<R> {
  let running = 0;
  let idle: NodeJS.Immediate | undefined;
  return async (pass) => {
    clearImmediate(idle);
    running++;
    try {
      return await pass();
    } finally {
      running--;
      if (running === 0) idle = setImmediate(drop);
    }
  };
}
