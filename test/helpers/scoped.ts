import * as tf from '@tensorflow/tfjs';

/** As tf.tidy, of a body that waits for numbers: some engines read asynchronously alone. One at a time. */
export async function scoped<T>(body: () => Promise<T>): Promise<T> {
  tf.engine().startScope();
  try {
    return await body();
  } finally {
    tf.engine().endScope();
  }
}
