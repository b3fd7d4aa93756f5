import type { KernelTable } from '../Kernel.ts';
import { type PoolInfo, poolInfo } from '../poolInfo.ts';
import { entrywise } from './entrywise.ts';

/** The sizes of a pooling, as the code has them. */
const sizes = (info: PoolInfo) => ({
  height: info.inHeight,
  width: info.inWidth,
  channels: info.inChannels,
  outHeight: info.outHeight,
  outWidth: info.outWidth,
  windowHeight: info.filterHeight,
  windowWidth: info.filterWidth,
  strideHeight: info.strideHeight,
  strideWidth: info.strideWidth,
  top: info.padInfo.top,
  left: info.padInfo.left,
});

/** Where an image has the entry (r, s) of the window (i, j), −1 beyond it; and where the output has the window. */
const PLACES = `
  fn placeOf(image : i32, i : i32, j : i32, r : i32, s : i32, channel : i32) -> i32 {
    let row = i * uniforms.strideHeight - uniforms.top + r;
    let column = j * uniforms.strideWidth - uniforms.left + s;
    if (row < 0 || row >= uniforms.height || column < 0 || column >= uniforms.width) { return -1; }
    return ((image * uniforms.height + row) * uniforms.width + column) * uniforms.channels + channel;
  }
  fn windowAt(image : i32, i : i32, j : i32, channel : i32) -> i32 {
    return ((image * uniforms.outHeight + i) * uniforms.outWidth + j) * uniforms.channels + channel;
  }`;

/** The place of a window's first entry that equals the maximum; −1 where there is none, as beside a NaN. */
const FIRST = `
  fn firstMaximum(image : i32, i : i32, j : i32, channel : i32) -> i32 {
    let most = y[windowAt(image, i, j, channel)];
    for (var r = 0; r < uniforms.windowHeight; r++) {
      for (var s = 0; s < uniforms.windowWidth; s++) {
        let place = placeOf(image, i, j, r, s, channel);
        if (place >= 0 && x[place] == most) { return place; }
      }
    }
    return -1;
  }`;

/** Adds up, for an entry of the image, what `share` gives of each window that has it. */
const overWindows = (share: string) => `
  let channel = index % uniforms.channels;
  let column = (index / uniforms.channels) % uniforms.width + uniforms.left;
  let row = (index / (uniforms.channels * uniforms.width)) % uniforms.height + uniforms.top;
  let image = index / (uniforms.channels * uniforms.width * uniforms.height);
  let firstRow = max(0, (row - uniforms.windowHeight + uniforms.strideHeight) / uniforms.strideHeight);
  let firstColumn = max(0, (column - uniforms.windowWidth + uniforms.strideWidth) / uniforms.strideWidth);
  var sum = 0.0;
  for (var i = firstRow; i <= min(row / uniforms.strideHeight, uniforms.outHeight - 1); i++) {
    for (var j = firstColumn; j <= min(column / uniforms.strideWidth, uniforms.outWidth - 1); j++) {
      ${share}
    }
  }
  return sum;`;

/**
 * The derivatives of pooling, entry by entry. Where several entries of a window are equal the first counts, as in the
 * portable kernels, which are dozens of operations each.
 */
export const poolingKernels = {
  MaxPoolScatter: ({ dy }, { x, y, ...attributes }, backend) =>
    entrywise(backend, {
      name: 'maxPoolScatter',
      inputs: { x, y, dy: dy! },
      shape: x.shape,
      numbers: sizes(poolInfo(x.shape, attributes)),
      functions: PLACES + FIRST,
      code: overWindows(
        'if (firstMaximum(image, i, j, channel) == index) { sum += f32(dy[windowAt(image, i, j, channel)]); }',
      ),
    }),
  MaxPoolGather: ({ c }, { x, y, ...attributes }, backend) =>
    entrywise(backend, {
      name: 'maxPoolGather',
      inputs: { x, y, c: c! },
      shape: y.shape,
      numbers: sizes(poolInfo(x.shape, attributes)),
      functions: PLACES + FIRST,
      code: `
        let channel = index % uniforms.channels;
        let j = (index / uniforms.channels) % uniforms.outWidth;
        let i = (index / (uniforms.channels * uniforms.outWidth)) % uniforms.outHeight;
        let image = index / (uniforms.channels * uniforms.outWidth * uniforms.outHeight);
        let place = firstMaximum(image, i, j, channel);
        if (place < 0) { return 0.0; }
        return f32(c[place]);`,
    }),
  AvgPoolSpread: ({ dy }, { inputShape, ...attributes }, backend) =>
    entrywise(backend, {
      name: 'avgPoolSpread',
      inputs: { dy: dy! },
      shape: inputShape,
      numbers: sizes(poolInfo(inputShape, attributes)),
      functions: `${PLACES}
        fn within(first : i32, reach : i32, length : i32) -> i32 {
          return min(first + reach, length) - max(first, 0);
        }`,
      code: overWindows(`
        let rows = within(i * uniforms.strideHeight - uniforms.top, uniforms.windowHeight, uniforms.height);
        let columns = within(j * uniforms.strideWidth - uniforms.left, uniforms.windowWidth, uniforms.width);
        sum += f32(dy[windowAt(image, i, j, channel)]) / f32(rows * columns);`),
    }),
} as const satisfies KernelTable;
