import * as tf from '@tensorflow/tfjs';
import type { Backend } from './Backend.ts';

/** TensorFlow.js in plain JavaScript, slow: the portable kernels and nothing else, which makes it their test. */
export const cpu: Backend = {
  load: () => {
    // Its first use would print an advertisement.
    Object.assign(tf.findBackend('cpu'), { firstUse: false });
    return { device: 'CPU, 1 thread', version: `TensorFlow.js ${tf.version['tfjs-backend-cpu']} JavaScript` };
  },
  remedy: '`npm ci` puts the npm packages in order.',
  kernels: {},
};
