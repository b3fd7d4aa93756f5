import type { Tensor, Tensor4D, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { type HostBuffers, hostBuffers } from './hostBuffers.ts';
import {
  type Attributes,
  type BackendName,
  isLoaded,
  registerGradient,
  registerKernel,
  runKernel,
} from './register.ts';

/**
 * Derivatives of max and average pooling to second order.
 *
 * Where the places of the maxima are given, max pooling is linear: its derivative scatters dy to these places, and the
 * derivative of that gathers from them. Where several entries of a window are equal the first counts, in both directions, so
 * that H stays symmetric. x and y, which say where the maxima are, travel in attributes, through which nothing flows back.
 */
export function installPooling(): void {
  registerGradient('MaxPool', { inputs: ['x'], output: true }, (dy, [x, y], attributes) => ({
    x: () => runKernel('MaxPoolScatter', { dy }, { ...window(attributes), x, y }),
  }));
  registerGradient('MaxPoolScatter', {}, (c, _saved, attributes) => ({
    dy: () => runKernel('MaxPoolGather', { c }, attributes),
  }));
  registerGradient('MaxPoolGather', {}, (dy, _saved, attributes) => ({
    c: () => runKernel('MaxPoolScatter', { dy }, attributes),
  }));
  registerGradient('AvgPool', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => runKernel('AvgPoolSpread', { dy }, { ...window(attributes), inputShape: x!.shape }),
  }));
  registerGradient('AvgPoolSpread', {}, (c, _saved, { filterSize, strides, pad }) => ({
    dy: () => tf.avgPool(c as Tensor4D, filterSize, strides, pad),
  }));

  for (const name of ['cpu', 'wasm'] as const) {
    if (!isLoaded(name)) continue;
    registerKernel('MaxPoolScatter', name, ({ dy }, attributes, backend) => {
      const { x, y } = attributes as { x: Tensor; y: Tensor };
      return withHost(name, backend, x.shape, (out, read) => {
        const values = read(dy!);
        eachMaximum(x, y, attributes, read, (place, at) => {
          out[place]! += values[at]!;
        });
      });
    });
    registerKernel('MaxPoolGather', name, ({ c }, attributes, backend) => {
      const { x, y } = attributes as { x: Tensor; y: Tensor };
      return withHost(name, backend, y.shape, (out, read) => {
        const values = read(c!);
        eachMaximum(x, y, attributes, read, (place, at) => {
          out[at] = values[place]!;
        });
      });
    });
    registerKernel('AvgPoolSpread', name, ({ dy }, attributes, backend) =>
      withHost(name, backend, attributes.inputShape, (out, read) => {
        const values = read(dy!);
        eachWindow(attributes.inputShape, attributes, (places, at) => {
          for (const place of places) out[place]! += values[at]! / places.length;
        });
      }),
    );
  }
  if (isLoaded('tensorflow')) installNative();
}

const window = ({ filterSize, strides, pad, dimRoundingMode }: Attributes) => ({
  filterSize,
  strides,
  pad,
  dimRoundingMode,
});

function withHost(
  name: Exclude<BackendName, 'tensorflow'>,
  backend: object,
  shape: readonly number[],
  fill: (out: Float32Array, read: HostBuffers['read']) => void,
): TensorInfo {
  const { make, read } = hostBuffers(name, backend);
  const output = make(shape);
  fill(read(output), read);
  return output;
}

/** Calls `use` with the flat places of each window's entries in the input, row by row, and the window's place in the output. */
function eachWindow(
  shape: readonly number[],
  attributes: Attributes,
  use: (places: readonly number[], at: number) => void,
): void {
  const [count, height, width, channels] = shape as [number, number, number, number];
  const info = poolInfo(shape, attributes);
  const places: number[] = [];
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < info.outHeight; i++) {
      for (let j = 0; j < info.outWidth; j++) {
        for (let c = 0; c < channels; c++) {
          places.length = 0;
          for (let r = 0; r < info.filterHeight; r++) {
            const h = i * info.strideHeight - info.padInfo.top + r;
            if (h < 0 || h >= height) continue;
            for (let s = 0; s < info.filterWidth; s++) {
              const w = j * info.strideWidth - info.padInfo.left + s;
              if (w >= 0 && w < width) places.push(((n * height + h) * width + w) * channels + c);
            }
          }
          use(places, ((n * info.outHeight + i) * info.outWidth + j) * channels + c);
        }
      }
    }
  }
}

/** Calls `use` with the place of each window's first maximum in the input, and the window's place in the output. */
function eachMaximum(
  x: Tensor,
  y: Tensor,
  attributes: Attributes,
  read: HostBuffers['read'],
  use: (place: number, at: number) => void,
): void {
  const input = read(x);
  const output = read(y);
  eachWindow(x.shape, attributes, (places, at) => {
    const place = places.find((p) => input[p] === output[at]);
    // A window that holds a NaN has no maximum; its NaN is in the loss already.
    if (place !== undefined) use(place, at);
  });
}

function poolInfo(shape: readonly number[], { filterSize, strides, pad, dimRoundingMode }: Attributes) {
  return tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}

/** TensorFlow's own kernels, on CUDA too. */
interface NativeBackend {
  binding: Record<'TF_ATTR_INT' | 'TF_ATTR_STRING' | 'TF_ATTR_TYPE' | 'TF_FLOAT', number>;
  executeSingleOutput(name: string, attributes: object[], inputs: readonly TensorInfo[]): TensorInfo;
}

function installNative(): void {
  const pool = (
    name: string,
    shape: readonly number[],
    attributes: Attributes,
    inputs: readonly TensorInfo[],
    backend: object,
  ) => {
    const native = backend as NativeBackend;
    const { TF_ATTR_INT, TF_ATTR_STRING, TF_ATTR_TYPE, TF_FLOAT } = native.binding;
    const info = poolInfo(shape, attributes);
    if (info.padInfo.type !== 'SAME' && info.padInfo.type !== 'VALID') {
      throw new Error(
        `${name}: the padding is ${JSON.stringify(attributes.pad)}. TensorFlow pools with 'same' and 'valid' only; pad the input beforehand.`,
      );
    }
    return native.executeSingleOutput(
      name,
      [
        { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
        { name: 'ksize', type: TF_ATTR_INT, value: [1, info.filterHeight, info.filterWidth, 1] },
        { name: 'strides', type: TF_ATTR_INT, value: [1, info.strideHeight, info.strideWidth, 1] },
        { name: 'padding', type: TF_ATTR_STRING, value: info.padInfo.type },
        { name: 'data_format', type: TF_ATTR_STRING, value: 'NHWC' },
      ],
      inputs,
    );
  };
  registerKernel('MaxPoolScatter', 'tensorflow', ({ dy }, attributes, backend) =>
    pool('MaxPoolGrad', attributes.x.shape, attributes, [attributes.x, attributes.y, dy!], backend),
  );
  registerKernel('MaxPoolGather', 'tensorflow', ({ c }, attributes, backend) =>
    pool('MaxPoolGradGrad', attributes.x.shape, attributes, [attributes.x, attributes.y, c!], backend),
  );
  registerKernel('AvgPoolSpread', 'tensorflow', ({ dy }, attributes, backend) => {
    const shape = tf.tensor1d(attributes.inputShape, 'int32');
    const output = pool('AvgPoolGrad', attributes.inputShape, attributes, [shape, dy!], backend);
    shape.dispose();
    return output;
  });
}
