import type { Kernel } from '../Kernel.ts';
import { entrywise } from './entrywise.ts';

/**
 * exp, log and tanh to the last place or two, as in Moshier's Cephes library for single precision, and what is made of
 * them.
 *
 * WGSL's own may be off by dozens of places, in one direction, and are: exp by 3 + 2 |x|, and tanh, which is made from
 * it, by as much near 0, where it is small. That shows in every product with the Hessian. TensorFlow.js's expm1, log1p
 * and erf are off by 1e-7 and more whatever their size, and some of its programs make a number of NaN.
 */
const FUNCTIONS = `
  fn isNaN32(x : f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

  // exp(x) is 2ⁿ (1 + the rest).
  fn twos(x : f32) -> f32 { return floor(1.44269504088896341 * x + 0.5); }
  fn restOf(x : f32, n : f32) -> f32 {
    let r = fma(n, 2.12194440e-4, fma(n, -0.693359375, x));
    var y = 1.9875691500e-4;
    y = fma(y, r, 1.3981999507e-3);
    y = fma(y, r, 8.3334519073e-3);
    y = fma(y, r, 4.1665795894e-2);
    y = fma(y, r, 1.6666665459e-1);
    y = fma(y, r, 5.0000001201e-1);
    return fma(y, r * r, r);
  }

  fn exp32(x : f32) -> f32 {
    if (isNaN32(x)) { return x; }
    if (x > 88.72284) { return uniforms.INFINITY; }
    if (x < -103.97) { return 0.0; }
    let n = twos(x);
    // In two halves: 2ⁿ alone can leave float32 where the product does not.
    let half = i32(n) / 2;
    return ldexp(ldexp(restOf(x, n) + 1.0, half), i32(n) - half);
  }

  fn expm132(x : f32) -> f32 {
    if (isNaN32(x) || x == 0.0) { return x; }
    if (x > 17.0) { return exp32(x) - 1.0; }
    if (x < -17.5) { return -1.0; }
    let n = twos(x);
    let scale = ldexp(1.0, i32(n));
    return fma(scale, restOf(x, n), scale - 1.0);
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
    return logNear1(x, e);
  }

  // log((1 + x) 2ᵉ) for 1 + x between √½ and √2.
  fn logNear1(x : f32, e : f32) -> f32 {
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

  fn log1p32(x : f32) -> f32 {
    if (isNaN32(x) || x == 0.0) { return x; }
    if (x > -0.29289322 && x < 0.41421356) { return logNear1(x, 0.0); }
    return log32(1.0 + x);
  }

  fn sigmoid32(x : f32) -> f32 {
    if (isNaN32(x)) { return x; }
    let e = exp32(-abs(x));
    return select(1.0, e, x < 0.0) / (1.0 + e);
  }

  fn softplus32(x : f32) -> f32 {
    if (isNaN32(x)) { return x; }
    return max(x, 0.0) + log1p32(exp32(-abs(x)));
  }

  fn elu32(x : f32) -> f32 {
    if (x > 0.0) { return x; }
    return expm132(x);
  }

  fn selu32(x : f32) -> f32 { return 1.0507009873554805 * select(1.0, 1.6732632423543772, x < 0.0) * elu32(x); }

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
  }

  fn erf32(x : f32) -> f32 {
    if (isNaN32(x)) { return x; }
    let z = abs(x);
    if (z > 4.0) { return sign(x); }
    if (z < 1.0) {
      let s = x * x;
      var y = 7.853861353153693e-5;
      y = fma(y, s, -8.010193625184903e-4);
      y = fma(y, s, 5.188327685732524e-3);
      y = fma(y, s, -2.685381193529856e-2);
      y = fma(y, s, 1.128358514861418e-1);
      y = fma(y, s, -3.761262582423300e-1);
      y = fma(y, s, 1.2837916709551257e-1);
      return fma(y, x, x);
    }
    let q = 1.0 / z;
    let s = q * q;
    var y = 0.0;
    if (z < 2.0) {
      y = 2.326819970068386e-2;
      y = fma(y, s, -1.387039388740657e-1);
      y = fma(y, s, 3.687424674597105e-1);
      y = fma(y, s, -5.824733027278666e-1);
      y = fma(y, s, 6.210004621745983e-1);
      y = fma(y, s, -4.944515323274145e-1);
      y = fma(y, s, 3.404879937665872e-1);
      y = fma(y, s, -2.741127028184656e-1);
      y = fma(y, s, 5.638259427386472e-1);
    } else {
      y = -1.047766399936249e+1;
      y = fma(y, s, 1.297719955372516e+1);
      y = fma(y, s, -7.495518717768503);
      y = fma(y, s, 2.921019019210786);
      y = fma(y, s, -1.015265279202700);
      y = fma(y, s, 4.218463358204948e-1);
      y = fma(y, s, -2.820767439740514e-1);
      y = fma(y, s, 5.641895067754075e-1);
    }
    return sign(x) * (1.0 - exp32(-z * z) * q * y);
  }`;

const elementary =
  (name: 'exp' | 'expm1' | 'log' | 'log1p' | 'tanh' | 'sigmoid' | 'softplus' | 'erf' | 'elu' | 'selu'): Kernel =>
  ({ x }, _, backend) =>
    entrywise(backend, {
      name,
      inputs: { x: x! },
      shape: x!.shape,
      functions: FUNCTIONS,
      code: `return ${name}32(f32(x[index]));`,
    });

/** Those in which every network with a smooth activation or cross-entropy takes part. */
export const elementaryKernels = {
  Exp: elementary('exp'),
  Expm1: elementary('expm1'),
  Log: elementary('log'),
  Log1p: elementary('log1p'),
  Tanh: elementary('tanh'),
  Sigmoid: elementary('sigmoid'),
  Softplus: elementary('softplus'),
  Erf: elementary('erf'),
  Elu: elementary('elu'),
  Selu: elementary('selu'),
} as const;
