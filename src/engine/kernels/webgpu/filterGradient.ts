import { convolutionInfo } from '../convolutionInfo.ts';
import type { Kernel } from '../Kernel.ts';
import { flat } from './entrywise.ts';
import { sumOfParts } from './sumAlong.ts';
import type { Program, WebGpuBackend } from './WebGpuBackend.ts';

/** A workgroup's tile of the gradient, TILE × TILE, of which each of its 16 × 16 threads has 4 × 4. */
const TILE = 64;
const THREADS = 16;
const EACH = TILE / THREADS;
/** Pixels that are in the workgroup's memory at once. */
const DEPTH = 16;
/** Pixels of a part, about; and what the parts of a gradient may take, in numbers. */
const PART = 2048;
const MOST = 2 ** 24;

/** The names of the uniforms, in their order. */
const UNIFORMS = [
  ...['height', 'width', 'channels', 'filterWidth', 'rows', 'outHeight', 'outWidth', 'outChannels'],
  ...['strideHeight', 'strideWidth', 'top', 'left', 'pixels', 'partPixels'],
];

/**
 * A filter gradient as the product of two matrices: [entries of the filter, pixels of dy] × [pixels of dy, channels of
 * dy], of which the first is read from the image as it is needed.
 *
 * Pixels are many and the gradient is small, so that they are cut into parts that are summed afterwards, always in the
 * same order. TensorFlow.js has one thread for each weight, which adds over all pixels.
 */
export const filterGradient: Kernel = ({ x, dy }, attributes, backend) => {
  const info = convolutionInfo(x!.shape, attributes.filterShape, attributes);
  const { filterHeight, filterWidth, inChannels, outChannels, outHeight, outWidth, batchSize } = info;
  const rows = filterHeight * filterWidth * inChannels;
  const pixels = batchSize * outHeight * outWidth;
  const most = Math.max(1, Math.floor(MOST / (rows * outChannels)));
  const count = Math.min(most, Math.ceil(pixels / PART));
  const partPixels = DEPTH * Math.ceil(pixels / count / DEPTH);
  const parts = Math.ceil(pixels / partPixels);
  const values: Record<string, number> = {
    ...{ height: info.inHeight, width: info.inWidth, channels: inChannels, filterWidth, rows },
    ...{ outHeight, outWidth, outChannels, strideHeight: info.strideHeight, strideWidth: info.strideWidth },
    ...{ top: info.padInfo.top, left: info.padInfo.left, pixels, partPixels },
  };
  const program: Program = {
    variableNames: ['x', 'dy'],
    outputShape: [parts, rows, outChannels],
    dispatchLayout: { x: [2], y: [1], z: [0] },
    dispatch: [Math.ceil(outChannels / TILE), Math.ceil(rows / TILE), parts],
    workgroupSize: [THREADS, THREADS, 1],
    uniforms: UNIFORMS.map((name) => `${name} : i32, `).join(''),
    shaderKey: 'brink_filterGradient',
    getUserCode: () => CODE,
  };
  const sums = (backend as WebGpuBackend).runWebGPUProgram(
    program,
    [flat(x!), flat(dy!)],
    'float32',
    UNIFORMS.map((name) => ({ type: 'int32', data: [values[name]!] })),
  );
  return { ...sumOfParts(backend, sums, parts), shape: [...attributes.filterShape] };
};

const CODE = `
  var<workgroup> entries : array<array<f32, ${TILE}>, ${DEPTH}>;
  var<workgroup> factors : array<array<f32, ${TILE}>, ${DEPTH}>;

  // The entry of the image that a row of the gradient meets at a pixel of dy; 0 beyond the image.
  fn entryAt(row : i32, pixel : i32, end : i32) -> f32 {
    if (row >= uniforms.rows || pixel >= end) { return 0.0; }
    let channel = row % uniforms.channels;
    let tap = row / uniforms.channels;
    let j = pixel % uniforms.outWidth;
    let line = pixel / uniforms.outWidth;
    let top = (line % uniforms.outHeight) * uniforms.strideHeight + tap / uniforms.filterWidth - uniforms.top;
    let left = j * uniforms.strideWidth + tap % uniforms.filterWidth - uniforms.left;
    if (top < 0 || top >= uniforms.height || left < 0 || left >= uniforms.width) { return 0.0; }
    let image = line / uniforms.outHeight;
    return f32(x[((image * uniforms.height + top) * uniforms.width + left) * uniforms.channels + channel]);
  }

  fn factorAt(pixel : i32, column : i32, end : i32) -> f32 {
    if (column >= uniforms.outChannels || pixel >= end) { return 0.0; }
    return f32(dy[pixel * uniforms.outChannels + column]);
  }

  fn main() {
    let part = i32(workgroupId.z);
    let firstRow = i32(workgroupId.y) * ${TILE};
    let firstColumn = i32(workgroupId.x) * ${TILE};
    let own = i32(localId.y) * ${THREADS} + i32(localId.x);
    let start = part * uniforms.partPixels;
    let end = min(start + uniforms.partPixels, uniforms.pixels);

    var sums : array<array<f32, ${EACH}>, ${EACH}>;
    for (var r = 0; r < ${EACH}; r++) {
      for (var c = 0; c < ${EACH}; c++) { sums[r][c] = 0.0; }
    }
    // As often for each part, as all threads of a workgroup must come to a barrier.
    for (var at = 0; at < uniforms.partPixels; at += ${DEPTH}) {
      let pixel = start + at;
      for (var k = own; k < ${DEPTH * TILE}; k += ${THREADS * THREADS}) {
        let depth = k / ${TILE};
        let across = k % ${TILE};
        entries[depth][across] = entryAt(firstRow + across, pixel + depth, end);
        factors[depth][across] = factorAt(pixel + depth, firstColumn + across, end);
      }
      workgroupBarrier();
      for (var depth = 0; depth < ${DEPTH}; depth++) {
        var factor : array<f32, ${EACH}>;
        for (var c = 0; c < ${EACH}; c++) { factor[c] = factors[depth][i32(localId.x) + c * ${THREADS}]; }
        for (var r = 0; r < ${EACH}; r++) {
          let entry = entries[depth][i32(localId.y) + r * ${THREADS}];
          for (var c = 0; c < ${EACH}; c++) { sums[r][c] = fma(entry, factor[c], sums[r][c]); }
        }
      }
      workgroupBarrier();
    }
    for (var r = 0; r < ${EACH}; r++) {
      let row = firstRow + i32(localId.y) + r * ${THREADS};
      for (var c = 0; c < ${EACH}; c++) {
        let column = firstColumn + i32(localId.x) + c * ${THREADS};
        if (row < uniforms.rows && column < uniforms.outChannels) {
          setOutputAtIndex((part * uniforms.rows + row) * uniforms.outChannels + column, sums[r][c]);
        }
      }
    }
  }`;
