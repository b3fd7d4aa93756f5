/** float16 (IEEE 754 binary16), by its 16 bits: each is a float32 too. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (0x400 + fraction) * 2 ** (exponent - 25);
}

const WORD = new DataView(new ArrayBuffer(4));

/** bfloat16, by its 16 bits: the upper half of a float32. */
export function fromBfloat16(bits: number): number {
  WORD.setUint16(0, bits);
  return WORD.getFloat32(0);
}
