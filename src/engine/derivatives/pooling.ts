import type { Tensor4D, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { hostBuffers } from '../kernels/hostBuffers.ts';
import { installNativePooling } from '../kernels/native/nativePooling.ts';
import { type PoolInfo, poolInfo } from '../kernels/poolInfo.ts';
import { isLoaded, registerGradient, registerKernel, runKernel } from '../kernels/register.ts';

/**
 * Derivatives of max and average pooling to second order.
 *
 * Where the places of the maxima are given, max pooling is linear: its derivative scatters dy to these places, and the
 * derivative of that gathers from them. Where several entries of a window are equal the first counts, in both directions, so
 * that H stays symmetric. x and y, which say where the maxima are, travel in attributes, through which nothing flows back.
 */
export function installPooling(): void {
  registerGradient('MaxPool', { inputs: ['x'], output: true }, (dy, [x, y], attributes) => ({
    x: () => runKernel('MaxPoolScatter', { dy }, { ...attributes, x, y }),
  }));
  registerGradient('MaxPoolScatter', {}, (c, _saved, attributes) => ({
    dy: () => runKernel('MaxPoolGather', { c }, attributes),
  }));
  registerGradient('MaxPoolGather', {}, (dy, _saved, attributes) => ({
    c: () => runKernel('MaxPoolScatter', { dy }, attributes),
  }));
  registerGradient('AvgPool', { inputs: ['x'] }, (dy, [x], attributes) => ({
    x: () => runKernel('AvgPoolSpread', { dy }, { ...attributes, inputShape: x!.shape }),
  }));
  registerGradient('AvgPoolSpread', {}, (c, _saved, { filterSize, strides, pad, dimRoundingMode }) => ({
    dy: () => tf.avgPool(c as Tensor4D, filterSize, strides, pad, dimRoundingMode),
  }));

  for (const name of (['cpu', 'wasm'] as const).filter(isLoaded)) {
    const run = (backend: object, shape: number[], fill: (out: Float32Array, read: Read) => void) => {
      const { make, read } = hostBuffers(name, backend);
      const output = make(shape);
      fill(read(output), read);
      return output;
    };
    registerKernel('MaxPoolScatter', name, ({ dy }, attributes, backend) =>
      run(backend, attributes.x.shape, (out, read) => {
        const values = read(dy!);
        firstMaxima(read(attributes.x), read(attributes.y), poolInfo(attributes.x.shape, attributes)).forEach(
          (place, at) => {
            if (place >= 0) out[place]! += values[at]!;
          },
        );
      }),
    );
    registerKernel('MaxPoolGather', name, ({ c }, attributes, backend) =>
      run(backend, attributes.y.shape, (out, read) => {
        const values = read(c!);
        firstMaxima(read(attributes.x), read(attributes.y), poolInfo(attributes.x.shape, attributes)).forEach(
          (place, at) => {
            if (place >= 0) out[at] = values[place]!;
          },
        );
      }),
    );
    registerKernel('AvgPoolSpread', name, ({ dy }, attributes, backend) =>
      run(backend, attributes.inputShape, (out, read) =>
        spreadAverages(read(dy!), out, poolInfo(attributes.inputShape, attributes)),
      ),
    );
  }
  if (isLoaded('tensorflow')) installNativePooling();
}

type Read = (tensor: TensorInfo) => Float32Array;

/** Calls `use` with the place of each window's first output channel, and those of the first channel of its entries, row by row. */
function eachWindow(info: PoolInfo, use: (at: number, entries: readonly number[]) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  let at = 0;
  for (let n = 0; n < batchSize; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++, at += inChannels) {
        const entries: number[] = [];
        for (let r = 0, h = i * info.strideHeight - padInfo.top; r < info.filterHeight; r++, h++) {
          if (h < 0 || h >= inHeight) continue;
          for (let s = 0, w = j * info.strideWidth - padInfo.left; s < info.filterWidth; s++, w++) {
            if (w >= 0 && w < inWidth) entries.push(((n * inHeight + h) * inWidth + w) * inChannels);
          }
        }
        use(at, entries);
      }
    }
  }
}

/** The place in x of each window's first maximum; −1 where a NaN leaves a window without one: it is in the loss already. */
function firstMaxima(x: Float32Array, y: Float32Array, info: PoolInfo): Int32Array {
  const places = new Int32Array(y.length).fill(-1);
  eachWindow(info, (at, entries) => {
    // Backwards, so that the first has the last word.
    for (let k = entries.length - 1; k >= 0; k--) {
      const start = entries[k]!;
      for (let c = 0; c < info.inChannels; c++) if (x[start + c] === y[at + c]) places[at + c] = start + c;
    }
  });
  return places;
}

/** Every entry gets its windows' dy, each divided by the number of entries that the window has within the image. */
function spreadAverages(dy: Float32Array, out: Float32Array, info: PoolInfo): void {
  eachWindow(info, (at, entries) => {
    for (const start of entries) {
      for (let c = 0; c < info.inChannels; c++) out[start + c]! += dy[at + c]! / entries.length;
    }
  });
}
