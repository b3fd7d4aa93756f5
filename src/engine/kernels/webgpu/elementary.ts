import type { Kernel } from '../Kernel.ts';
import { entrywise } from './entrywise.ts';

/**
 * exp, log and tanh to the last place or two, as in Moshier's Cephes library for single precision.
 *
 * WGSL's own may be off by dozens of places, in one direction, and are: exp by 3 + 2 |x|, and tanh, which is made from
 * it, by as much near 0, where it is small. That shows in every product with the Hessian.
 */
const FUNCTIONS = `
  fn isNaN32(x : f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

  fn exp32(x : f32) -> f32 {
    if (isNaN32(x)) { return x; }
    if (x > 88.72284) { return uniforms.INFINITY; }
    if (x < -103.97) { return 0.0; }
    let n = floor(1.44269504088896341 * x + 0.5);
    let r = fma(n, 2.12194440e-4, fma(n, -0.693359375, x));
    var y = 1.9875691500e-4;
    y = fma(y, r, 1.3981999507e-3);
    y = fma(y, r, 8.3334519073e-3);
    y = fma(y, r, 4.1665795894e-2);
    y = fma(y, r, 1.6666665459e-1);
    y = fma(y, r, 5.0000001201e-1);
    y = fma(y, r * r, r) + 1.0;
    // In two halves: 2ⁿ alone can leave float32 where the product does not.
    let half = i32(n) / 2;
    return ldexp(ldexp(y, half), i32(n) - half);
  }

  fn log32(given : f32) -> f32 {
    if (isNaN32(given)) { return given; }
    var bits = bitcast<u32>(given);
    if ((bits & 0x7fffffffu) == 0u) { return -uniforms.INFINITY; }
    if (bits > 0x7fffffffu) { return uniforms.NAN; }
    if (bits == 0x7f800000u) { return given; }
    var e = 0.0;
    // A subnormal number, which the device may take for 0, is so many times 2⁻¹⁴⁹.
    if (bits < 0x00800000u) {
      bits = bitcast<u32>(f32(bits));
      e = -149.0;
    }
    e += f32(i32(bits >> 23u) - 126);
    var x = bitcast<f32>((bits & 0x007fffffu) | 0x3f000000u);
    if (x < 0.70710678) {
      e -= 1.0;
      x = x + x - 1.0;
    } else {
      x -= 1.0;
    }
    let z = x * x;
    var y = 7.0376836292e-2;
    y = fma(y, x, -1.1514610310e-1);
    y = fma(y, x, 1.1676998740e-1);
    y = fma(y, x, -1.2420140846e-1);
    y = fma(y, x, 1.4249322787e-1);
    y = fma(y, x, -1.6668057665e-1);
    y = fma(y, x, 2.0000714765e-1);
    y = fma(y, x, -2.4999993993e-1);
    y = fma(y, x, 3.3333331174e-1);
    y = y * x * z;
    y = fma(e, -2.12194440e-4, y) - 0.5 * z;
    return fma(e, 0.693359375, x + y);
  }

  fn tanh32(x : f32) -> f32 {
    let z = abs(x);
    if (z > 0.625) { return sign(x) * (1.0 - 2.0 / (exp32(2.0 * z) + 1.0)); }
    let s = x * x;
    var y = -5.70498872745e-3;
    y = fma(y, s, 2.06390887954e-2);
    y = fma(y, s, -5.37397155531e-2);
    y = fma(y, s, 1.33314422036e-1);
    y = fma(y, s, -3.33332819422e-1);
    return fma(y * s, x, x);
  }`;

const elementary =
  (name: 'exp' | 'log' | 'tanh'): Kernel =>
  ({ x }, _, backend) =>
    entrywise(backend, {
      name,
      inputs: { x: x! },
      shape: x!.shape,
      functions: FUNCTIONS,
      code: `return ${name}32(f32(x[index]));`,
    });

/** Those in which every network with a smooth activation or cross-entropy takes part. */
export const elementaryKernels = { Exp: elementary('exp'), Log: elementary('log'), Tanh: elementary('tanh') } as const;
