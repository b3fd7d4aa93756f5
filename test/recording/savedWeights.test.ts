import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { initialWeights, type Model } from '../../src/engine/Model.ts';
import { generator, uniforms } from '../../src/linalg/random.ts';
import { mlp } from '../../src/models/mlp.ts';
import { loadWeights, weightTypes } from '../../src/recording/loadWeights.ts';
import { saveWeights } from '../../src/recording/saveWeights.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/weights');
const model = mlp({ inputs: 3, hidden: [2], outputs: 2, activation: 'tanh' });

/** A file of one tensor, theta, as the format prescribes it. */
function tensorFile(dtype: string, values: Buffer): Buffer {
  const width = dtype.startsWith('F8') ? 1 : 2;
  const entry = { dtype, shape: [values.length / width], data_offsets: [0, values.length] };
  const header = Buffer.from(JSON.stringify({ theta: entry }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, values]);
}
/** By text: the binary digits of the fraction behind the point. */
function float16(bits: number): number {
  const digits = bits.toString(2).padStart(16, '0');
  const [sign, exponent, fraction] = [digits[0], Number.parseInt(digits.slice(1, 6), 2), digits.slice(6)];
  const point = [...fraction].reduce((sum, digit, k) => sum + Number(digit) / 2 ** (k + 1), exponent === 0 ? 0 : 1);
  return (sign === '1' ? -1 : 1) * point * 2 ** (Math.max(exponent, 1) - 15);
}

const one = (size: number) => ({ name: 'any', parameters: [{ name: 'theta', shape: [size] }] }) as unknown as Model;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-weights-'));
  path = join(folder, 'new', 'mlp.safetensors');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('weights in a safetensors file', () => {
  it('come back to the bit', () => {
    const weights = initialWeights(model, 5);
    weights.set([-0, 1e-45, 3.4e38], 3);
    saveWeights(path, model, weights, { metadata: { step: '20' } });
    expect(new Uint8Array(loadWeights(path, model).buffer)).toEqual(new Uint8Array(weights.buffer));
    expect(readdirSync(join(folder, 'new'))).toEqual(['mlp.safetensors']);
    // The layout that the format prescribes: a length, JSON, numbers.
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
    expect(header.__metadata__).toEqual({ model: 'mlp', step: '20' });
    expect(Object.keys(header)).toEqual(['__metadata__', ...model.parameters.map(({ name }) => name)]);
    expect(bytes.length).toBe(8 + length + 4 * weights.length);
    const { dtype, shape, data_offsets } = header[model.parameters[0]!.name];
    expect({ dtype, shape, data_offsets }).toEqual({ dtype: 'F32', shape: [3, 2], data_offsets: [0, 24] });
    expect(bytes.readFloatLE(8 + length)).toBe(weights[0]);
  });

  it('are read as another program wrote them, in its order and with float64', () => {
    const weights = loadWeights(join(FIXTURES, 'mlp.safetensors'), model);
    const first = [0, 1, 2, 3, 4, 5].map((k) => k / 7);
    const second = [0, 1, 2, 3].map((k) => -k / 3);
    expect([...weights]).toEqual([...Float32Array.from([...first, -1.5, 2.25, ...second, 1e-40, 3e38])]);
  });

  it('are the same numbers where they are stored in half precision, every one that there is', () => {
    mkdirSync(join(folder, 'new'));
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    // An exponent of ones is infinity or NaN, which weights can't be.
    for (const [dtype, exponent, numberOf] of [
      ['F16', 0x7c00, float16],
      ['BF16', 0x7f80, (bits: number) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!],
    ] as const) {
      const finite = all.filter((bits) => (bits & exponent) !== exponent);
      writeFileSync(path, tensorFile(dtype, Buffer.from(finite.buffer)));
      const weights = loadWeights(path, one(finite.length));
      const expected = Float32Array.from(finite, numberOf);
      expect(Buffer.from(weights.buffer).equals(Buffer.from(expected.buffer)), dtype).toBe(true);
      expect(weightTypes(path)).toEqual([dtype]);
      writeFileSync(path, tensorFile(dtype, Buffer.from(Uint16Array.of(0, exponent).buffer)));
      expect(() => loadWeights(path, one(2))).toThrow(/theta, entry 1 is Infinity/);
      writeFileSync(path, tensorFile(dtype, Buffer.from(Uint16Array.of(exponent + 1).buffer)));
      expect(() => loadWeights(path, one(1))).toThrow(/theta, entry 0 is NaN/);
    }
    expect(weightTypes(join(FIXTURES, 'mlp.safetensors'))).toEqual(['F32', 'F64']);
    expect(weightTypes(join(FIXTURES, 'half.safetensors'))).toEqual(['F16']);
  });

  it('are refused where an option is of another type', () => {
    const save = (options: object) => () => saveWeights('no.safetensors', model, new Float32Array(1), options);
    expect(save({ overwrite: 'false' })).toThrow("saveWeights: overwrite is 'false'. It must be true or false.");
    expect(save({ metadata: { step: 3 } })).toThrow('saveWeights: metadata.step is 3. It must be a string');
  });

  it('are refused where two would have one name', () => {
    const pytorch = { name: '0.bias', shape: [2], apart: [2], axes: [0] };
    const [a, b] = [
      { name: 'a', shape: [2], pytorch },
      { name: 'b', shape: [2], pytorch },
    ];
    const own = (parameters: readonly object[]) => ({ name: 'own', parameters }) as unknown as Model;
    expect(() => saveWeights(path, own([a, a]), [1, 2, 3, 4])).toThrow(
      "two parameters of own are a in layout 'brink'.",
    );
    expect(() => saveWeights(path, own([a, b]), [1, 2, 3, 4], { layout: 'pytorch' })).toThrow(
      "saveWeights: two parameters of own are 0.bias in layout 'pytorch'. One would be lost; name them apart.",
    );
    saveWeights(path, own([a, b]), [1, 2, 3, 4]);
    expect([...loadWeights(path, own([a, b]))]).toEqual([1, 2, 3, 4]);
  });

  it('are refused where they do not fit, with the names', () => {
    saveWeights(path, model, initialWeights(model, 1));
    expect(() => saveWeights(path, model, initialWeights(model, 1))).toThrow(
      `saveWeights: ${path} is there already. Name another file, or pass overwrite: true.`,
    );
    saveWeights(path, model, initialWeights(model, 2), { overwrite: true });
    expect(() => saveWeights(path, model, [1, 2])).toThrow(
      'saveWeights: there are 2 weights, and mlp has 14 parameters.',
    );
    const wider = mlp({ inputs: 3, hidden: [4], outputs: 2, activation: 'tanh' });
    expect(() => loadWeights(path, wider)).toThrow(/ as \[3,2\]\. In mlp its shape is \[3,4\]\./);
    const deeper = mlp({ inputs: 3, hidden: [2, 2], outputs: 2, activation: 'tanh' });
    expect(() => loadWeights(path, deeper)).toThrow(/ has no .*, which is a parameter of mlp\. It has .*\./);
    saveWeights(join(folder, 'deeper'), deeper, initialWeights(deeper, 1));
    expect(() => loadWeights(join(folder, 'deeper'), model)).toThrow(/ also has .*, which mlp has not\./);
    expect(() => loadWeights(join(folder, 'none'), model)).toThrow(/^loadWeights: there is no file .*none\.$/);
    writeFileSync(path, tensorFile('F8_E4M3', Buffer.alloc(14)));
    expect(() => loadWeights(path, model)).toThrow(
      / as F8_E4M3, where F32, F64, F16, BF16 and I64 are read\. Convert it first/,
    );
  });

  it('are refused, or the same, where a file is cut or its header damaged', () => {
    saveWeights(path, model, initialWeights(model, 1));
    const whole = readFileSync(path);
    const header = 8 + Number(whole.readBigUInt64LE());
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      expect(() => loadWeights(path, model), `${length}`).toThrow(
        /^loadWeights: .*(is no safetensors file|is cut off)/,
      );
    }
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(4)]));
    expect(() => loadWeights(path, model)).toThrow('is damaged: 4 bytes behind its last tensor.');
    const random = generator(11);
    const chance = () => (uniforms(random, 1, 1)[0]! + 1) / 2;
    for (let k = 0; k < 300; k++) {
      const bytes = Buffer.from(whole);
      const at = Math.floor(chance() * header);
      bytes[at] = bytes[at]! ^ (1 << Math.floor(chance() * 8));
      writeFileSync(path, bytes);
      let weights: Float32Array | null = null;
      try {
        weights = loadWeights(path, model);
      } catch (error) {
        expect((error as Error).message).toMatch(/^loadWeights: /);
      }
      if (weights === null) continue;
      expect(new Uint8Array(weights.buffer)).toEqual(new Uint8Array(whole.subarray(header)));
    }
  });
});
