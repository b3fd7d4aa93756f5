import { BrinkError } from '../../core/errors.ts';
import type { Windows } from './windowMargins.ts';

/**
 * Throws where a window is larger than its image: nothing would come out, which TensorFlow.js's kernels take for no
 * error; on WebAssembly they wait for ever, or read beside their memory.
 */
export function requireWindow(who: 'conv2d' | 'pool', windows: Windows): void {
  const { inHeight, inWidth, outHeight, outWidth, effectiveFilterHeight, effectiveFilterWidth } = windows;
  if (outHeight >= 1 && outWidth >= 1) return;
  throw new BrinkError(
    who,
    `a window has ${effectiveFilterHeight} × ${effectiveFilterWidth} pixels, and the image ${inHeight} × ${inWidth}. ` +
      "None fits, so that nothing comes out; take a smaller one, padding 'same', or fewer poolings before it.",
  );
}
