import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { arrays } from '../../src/datasets/arrays.ts';
import type { GraphAddon, Session } from '../../src/engine/graphs/GraphAddon.ts';
import { GraphSessions, loadable } from '../../src/engine/graphs/GraphSessions.ts';
import { graphDef } from '../../src/engine/graphs/graphDef.ts';
import type { NativeBackend } from '../../src/engine/graphs/NativeBackend.ts';
import { NotRecordable } from '../../src/engine/graphs/NotRecordable.ts';
import { type PassBody, type PassInput, RecordedPass } from '../../src/engine/graphs/RecordedPass.ts';
import { graphsByDefault } from '../../src/engine/graphs/recordedPasses.ts';
import type { Model } from '../../src/engine/Model.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { norm } from '../../src/linalg/vector.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { cnn } from '../../src/models/cnn.ts';
import { mlp } from '../../src/models/mlp.ts';

const asked = (process.env.BRINK_ENGINE ?? 'wasm') as EngineName;
const isNative = asked === 'tensorflow';

let sessions: GraphSessions;
beforeAll(async () => {
  const { graphs } = await openEngine(asked);
  if (graphs) sessions = graphs;
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const numbers = (size: number, seed: number) => Float32Array.from({ length: size }, (_, k) => Math.sin(k + seed) / 2);
const N = 10;
const labels = Array.from({ length: N }, (_, i) => i % 3);
const flat = arrays({ inputShape: [6], inputs: numbers(6 * N, 1), labels, classes: 3 });
const images = arrays({ inputShape: [8, 8, 1], inputs: numbers(64 * N, 1), labels, classes: 3 });
const dense = mlp({ inputs: 6, hidden: [5, 4], outputs: 3, activation: 'tanh' });
const normalised: Model = {
  name: 'normalised',
  config: {},
  outputCount: 3,
  inputShape: [8, 8, 1],
  parameters: [{ name: 'kernel', shape: [64, 3], initializer: { distribution: 'normal', scale: 0.1 } }],
  forward: ([kernel], x) => {
    const z = tf.matMul(tf.reshape(x, [-1, 64]) as Tensor2D, kernel as Tensor2D);
    const centred = tf.sub(z, tf.mean(z, 0, true));
    return tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), 0, true), 0.01)));
  },
};
const networks = [
  ['mlp', dense, flat],
  ['cnn', cnn({ inputShape: [8, 8, 1], outputs: 3, channels: [2, 3], pooling: ['max', 'average'] }), images],
  ['batch normalisation', normalised, images],
] as const;

type Network = (typeof networks)[number];
type Objective = Awaited<ReturnType<typeof empiricalRisk>>;

const objectiveOf = ([, model, data]: Network, graphs: boolean) =>
  empiricalRisk({ model, data, loss: crossEntropy, graphs, chunk: 4 });

/** Every pass, twice at one θ and once at another, by its name. */
async function allPasses(objective: Objective): Promise<Record<string, ArrayLike<number>>> {
  const m = objective.paramCount;
  const found: Record<string, ArrayLike<number>> = {};
  const batch = Int32Array.of(7, 2, 5);
  for (const seed of [1, 2]) {
    const point = objective.at(objective.initialWeights(seed));
    for (const k of [1, 2]) {
      const { product, projections } = await point.hessianVector(numbers(m, k));
      found[`H v, θ ${seed}, v ${k}`] = product;
      if (projections) found[`g_iᵀv, θ ${seed}, v ${k}`] = projections;
    }
    found[`∇L, θ ${seed}`] = await point.gradient();
    found[`loss, θ ${seed}`] = [(await point.performance('train')).loss];
    found[`batch gradient, θ ${seed}`] = (await point.batchGradient(batch)).gradient;
    if (objective.coupled) continue;
    found[`weighted gradient, θ ${seed}`] = await point.weightedGradient(Float64Array.from(numbers(N, 3)));
    found[`‖g_i‖², θ ${seed}`] = await point.exampleNormsSquared();
  }
  return found;
}

describe('the setting', () => {
  it('is BRINK_GRAPHS, on without it, and nothing but on and off', () => {
    vi.stubEnv('BRINK_GRAPHS', '');
    expect(graphsByDefault()).toBe(true);
    vi.stubEnv('BRINK_GRAPHS', 'on');
    expect(graphsByDefault()).toBe(true);
    vi.stubEnv('BRINK_GRAPHS', 'off');
    expect(graphsByDefault()).toBe(false);
    vi.stubEnv('BRINK_GRAPHS', 'no');
    expect(graphsByDefault).toThrow("BRINK_GRAPHS is 'no'. It must be on or off.");
  });
});

describe.runIf(isNative)('passes as graphs', () => {
  it.each(networks)('give what operations one by one give, to rounding: %s', async (...network) => {
    const [graph, eager] = [await objectiveOf(network, true), await objectiveOf(network, false)];
    const [found, expected] = [await allPasses(graph), await allPasses(eager)];
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [name, values] of Object.entries(found)) {
      const [a, b] = [Float64Array.from(values), Float64Array.from(expected[name]!)];
      expect(norm(b), name).toBeGreaterThan(0);
      expect(norm(a.map((x, k) => x - b[k]!)) / norm(b), name).toBeLessThan(2e-6);
    }
  });

  it.each(networks)('repeat their bits, the first call included: %s', async (...network) => {
    const objective = await objectiveOf(network, true);
    const first = await allPasses(objective);
    expect(await allPasses(objective)).toEqual(first);
    expect(await allPasses(await objectiveOf(network, true))).toEqual(first);
  });

  it('call the model while they are recorded, and never again', async () => {
    let calls = 0;
    const forward: typeof dense.forward = (theta, x) => {
      calls++;
      return dense.forward(theta, x);
    };
    const objective = await objectiveOf(['mlp', { ...dense, forward }, flat], true);
    await allPasses(objective);
    calls = 0;
    await allPasses(objective);
    expect(calls).toBe(0);
  });

  it('are not recorded for each number of gradients that vanish', async () => {
    let calls = 0;
    const diagonal: Model = {
      ...dense,
      outputCount: 6,
      parameters: [{ name: 'w', shape: [6], initializer: { distribution: 'constant', scale: 1 } }],
      forward: ([w], x) => {
        calls++;
        return tf.mul(x, w!);
      },
    };
    const inputs = Array.from({ length: N * 6 }, (_, k) => (k % 7 === 0 ? 1 : 0));
    const data = arrays({ inputShape: [6], inputs, targets: new Float32Array(N * 6) });
    const objective = await empiricalRisk({ model: diagonal, data, loss: meanSquaredError, graphs: true });
    const norms = (w: number[]) => objective.at(Float32Array.from(w)).exampleNormsSquared();
    await norms([0, 0, 0, 1, 1, 1]);
    calls = 0;
    expect([...(await norms([0, 0, 0, 0, 1, 2]))]).toEqual([0, 0, 0, 0, 1, 4, 0, 0, 0, 0]);
    expect(calls).toBe(0);
  });

  it('leave no tensor behind', async () => {
    const objective = await objectiveOf(networks[0], true);
    await allPasses(objective);
    await nextTurn();
    const before = tf.memory().numTensors;
    await allPasses(await objectiveOf(networks[1], true));
    await nextTurn();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe.runIf(isNative)('a model that can not be a graph', () => {
  /** What the dense network does in `forward`, once the objective has been tried, and the warnings that it causes. */
  async function warningsOf(change: (outputs: Tensor, inputs: Tensor) => Tensor) {
    let isTrial = true;
    const forward: typeof dense.forward = (theta, x) => {
      const outputs = dense.forward(theta, x);
      return isTrial ? outputs : change(outputs, x);
    };
    const model = { ...dense, forward };
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const objective = await empiricalRisk({ model, data: flat, loss: crossEntropy, graphs: true });
    isTrial = false;
    await nextTurn();
    const before = tf.memory().numTensors;
    const point = objective.at(objective.initialWeights(1));
    const { product } = await point.hessianVector(numbers(objective.paramCount, 1));
    await nextTurn();
    const left = tf.memory().numTensors - before;
    return { product, left, warnings: warnings.mock.calls.map(([text]) => String(text)) };
  }

  it.each<[string, string, () => (outputs: Tensor, inputs: Tensor) => Tensor]>([
    [
      'draws a mask on the host',
      'something else at another call',
      () => (y) => tf.mul(y, tf.tensor([1 + Math.random(), 1, 1])),
    ],
    ['reads its inputs', 'reads a tensor back', () => (y, x) => tf.mul(y, 1 + Math.abs(x.dataSync()[0]!))],
    ['reads its outputs', 'reads a tensor back', () => (y) => tf.mul(y, 1 + Math.abs(y.dataSync()[0]!))],
    [
      'reads the data to choose an operation',
      'reads a tensor back',
      () => (y, x) => (x.dataSync()[0]! > 0 ? tf.tanh(y) : tf.mul(y, 2)),
    ],
    [
      'counts its calls',
      'something else at another call',
      () => {
        let calls = 0;
        return (y: Tensor) => tf.mul(y, 1 + ++calls / 8);
      },
    ],
    [
      'counts its calls to choose an operation',
      'something else at another call',
      () => {
        let calls = 0;
        return (y: Tensor) => (calls++ % 2 === 0 ? tf.tanh(y) : tf.mul(y, 2));
      },
    ],
    [
      'holds a tensor of its own',
      'made elsewhere',
      () => {
        const scale = tf.keep(tf.tensor([1, 2, 3]));
        return (y: Tensor) => tf.mul(y, scale);
      },
    ],
  ])('runs operation by operation, says why, and leaves no tensor behind: it %s', async (_name, reason, change) => {
    const { product, left, warnings } = await warningsOf(change());
    expect(left).toBe(0);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`the pass 'product with the Hessian' can't run as one graph`);
    expect(warnings[0]).toContain(reason);
    expect(norm(product)).toBeGreaterThan(0);
  });

  it('takes constants that are none of these', async () => {
    const { warnings } = await warningsOf((y) => tf.mul(y, tf.tensor([1, 2, 3])));
    expect(warnings).toEqual([]);
  });
});

describe.runIf(isNative)('RecordedPass', () => {
  const backend = () => tf.backend() as unknown as NativeBackend;
  const x: PassInput = { values: Float32Array.of(1, 2, 3, 4), shapes: [[2], [2, 1]] };
  const v: PassInput = { values: Float32Array.of(5, 7), shapes: [[2]], changes: true };
  const body: PassBody = ([x, w]) => [tf.mul(tf.tanh(x![0]!), w![0]!), tf.sum(tf.mul(x![1]!, x![1]!))];
  const dot = (values: readonly number[], w: readonly number[]) => [
    [0, 1].map((k) => Math.tanh(values[k]!) * w[k]!),
    [values[2]! ** 2 + values[3]! ** 2],
  ];

  it('computes with what it is given, not with what it was recorded on', () => {
    const pass = new RecordedPass(backend(), sessions, [x, v], body);
    const values = [-1, 0.5, 2, 6];
    for (const w of [
      [1, 1],
      [3, -2],
    ]) {
      const found = pass.run([Float32Array.from(values), Float32Array.from(w)], pass.keptPart(), false);
      dot(values, w).forEach((numbers, k) => {
        expect(found[k]!).toHaveLength(numbers.length);
        numbers.forEach((number, j) => {
          expect(found[k]![j]!).toBeCloseTo(number, 5);
        });
      });
    }
  });

  it('takes what was kept in place of the inputs that stay', () => {
    const pass = new RecordedPass(backend(), sessions, [x, v], ([x, w]) => [tf.mul(tf.tanh(x![0]!), w![0]!)]);
    const part = pass.keptPart();
    expect(part.bytes).toBe(8);
    const first = pass.run([x.values, v.values], part, true)[0];
    const unread = new Float32Array(4).fill(Number.NaN);
    expect(pass.run([unread, v.values], part, true)[0]).toEqual(first);
    part.dispose();
    expect(pass.run([unread, v.values], part, false)[0]).toEqual(Float32Array.of(Number.NaN, Number.NaN));
    expect(part.results).toBeNull();
  });

  it('refuses a graph that gives other numbers', () => {
    const { addon } = sessions;
    const both: PassBody = ([a, b]) => [tf.sub(a![0]!, b![0]!)];
    const left = { values: Float32Array.of(1, 2), shapes: [[2]] };
    const right = { values: Float32Array.of(5, 7), shapes: [[2]] };
    const swapped: GraphAddon = Object.create(addon, {
      run: {
        value: (session: Session, feeds: Float32Array[], keeps: false) => addon.run(session, feeds.toReversed(), keeps),
      },
    });
    const make = () => new RecordedPass(backend(), new GraphSessions(swapped), [left, right], both);
    expect(make).toThrow(NotRecordable);
    expect(make).toThrow('as a graph its result differs by 2.0e+0 of its length');
  });

  it('refuses random numbers of the device', () => {
    const draw: PassBody = () => [tf.cast(tf.multinomial(tf.tensor1d([1, 1, 1]), 2, 7), 'float32')];
    expect(() => new RecordedPass(backend(), sessions, [x], draw)).toThrow('it draws random numbers (Multinomial)');
  });

  it('lets an error of the body through, with the backend as it was', () => {
    const { binding } = backend();
    const fail: PassBody = () => {
      throw new Error('on purpose');
    };
    expect(() => new RecordedPass(backend(), sessions, [x], fail)).toThrow('on purpose');
    expect(backend().binding).toBe(binding);
    expect(Object.hasOwn(backend(), 'readSync')).toBe(false);
  });
});

describe.runIf(isNative)('passes while signals arrive', () => {
  it('give what they give otherwise, and the process lives', () => {
    const program = join(import.meta.dirname, '../helpers/signalledPasses.ts');
    const [disturbed, quiet] = ['signals', 'none'].map((given) => {
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program, given], { encoding: 'utf8' });
      expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
      return JSON.parse(stdout) as { signals: number; hash: string };
    });
    expect(disturbed!.signals).toBeGreaterThan(100);
    expect(disturbed!.hash).toBe(quiet!.hash);
  }, 120_000);
});

describe.runIf(isNative)('GraphSessions', () => {
  /** The graph that gives what it takes, `size` numbers. */
  const same = (size: number) => {
    const { binding } = tf.backend() as unknown as NativeBackend;
    const shapes = [[size]];
    const attributes = [{ name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
    const nodes = [{ name: 'y', operation: 'Identity', attributes, inputs: ['x:0'], shapes }];
    const placeholders = [{ name: 'x', shape: [size] }];
    return loadable(graphDef(binding, { placeholders, constants: [], nodes }), ['x:0'], ['y:0'], size);
  };

  it('keeps as many as it may, closes the one that was not asked for longest, and loads it again', () => {
    const { addon } = sessions;
    const closed: Session[] = [];
    const watched: GraphAddon = Object.create(addon, {
      close: {
        value: (session: Session) => {
          closed.push(session);
          addon.close(session);
        },
      },
    });
    const few = new GraphSessions(watched, undefined, 2);
    const graphs = [1, 2, 3].map(same);
    const [a, b] = [few.of(graphs[0]!), few.of(graphs[1]!)];
    expect(few.of(graphs[0]!)).toBe(a);
    few.of(graphs[2]!);
    expect(closed).toEqual([b]);
    expect(few.count).toBe(2);
    const again = few.of(graphs[1]!);
    expect(again).not.toBe(b);
    expect(closed).toEqual([b, a]);
    expect(addon.run(again, [Float32Array.of(3, 4)], false)).toEqual([Float32Array.of(3, 4)]);
    expect(() => addon.run(a, [Float32Array.of(1)], false)).toThrow('run: the session is not open.');
  });

  it('is told of a graph that TensorFlow does not take', () => {
    const { bytes } = same(5);
    expect(() => sessions.of(loadable(bytes, ['z:0'], ['y:0'], 5))).toThrow('the graph has no tensor z:0');
    expect(() => sessions.of(loadable(bytes, ['x:0'], ['y:1'], 5))).toThrow('the graph has no tensor y:1');
    expect(() => sessions.of(loadable(bytes.slice(1), ['x:0'], ['y:0'], 5))).toThrow(NotRecordable);
  });

  it('feeds what was kept, until it is released, and refuses what is not of the size that the graph takes', () => {
    const { addon } = sessions;
    const session = sessions.of(same(6));
    const values = Float32Array.of(1, 2, 3, 4, 5, Number.NaN);
    const [kept] = addon.run(session, [values], true);
    expect(addon.run(session, [kept!], false)).toEqual([values]);
    addon.release(kept!);
    addon.release(kept!);
    expect(() => addon.run(session, [kept!], false)).toThrow('run: input 0 was released.');
    expect(() => addon.run(session, [], false)).toThrow('run: the graph takes 1 inputs.');
    const wrong = 'run: input 0 must be a Float32Array of 6 numbers.';
    for (const feed of [values.subarray(1), Float64Array.from(values), session, null, 'six']) {
      expect(() => addon.run(session, [feed as Float32Array], false)).toThrow(wrong);
    }
    expect(() => addon.run(kept as unknown as Session, [values], false)).toThrow('run: the session is not open.');
  });
});
