// Opens the engine that BRINK_ENGINE names and prints, as JSON, what it is, how many GFLOP/s it reaches, and how long
// an exact product with the Hessian of cnn6 takes.
import { arrays } from '../datasets/arrays.ts';
import { fastest } from '../engine/fastest.ts';
import { gigaflops } from '../engine/gigaflops.ts';
import { graphsByDefault } from '../engine/graphs/recordedPasses.ts';
import { openEngine } from '../engine/openEngine.ts';
import { empiricalRisk } from '../engine/risk/empiricalRisk.ts';
import { generator, normals } from '../linalg/random.ts';
import { crossEntropy } from '../losses/crossEntropy.ts';
import { cnn6 } from '../models/cnn6.ts';

const EXAMPLES = 64;

/** One product, at a θ of its own each time, so that nothing is kept from one to the next. */
async function product(): Promise<number> {
  const model = cnn6();
  const inputs = Float32Array.from(normals(generator(1), EXAMPLES * 32 * 32 * 3));
  const labels = Array.from({ length: EXAMPLES }, (_, i) => i % 10);
  const data = arrays({ inputShape: [32, 32, 3], classes: 10, inputs, labels });
  const objective = await empiricalRisk({ model, data, loss: crossEntropy });
  const v = Float32Array.from(normals(generator(2), objective.paramCount));
  let seed = 0;
  return 1000 * (await fastest(3, () => objective.at(objective.initialWeights(seed++)).hessianVector(v)));
}

try {
  const { device, version, graphs: sessions } = await openEngine();
  const graphs = sessions !== null && graphsByDefault();
  const rates = await gigaflops();
  const milliseconds = await product();
  const found = { gigaflops: rates, product: { examples: EXAMPLES, milliseconds } };
  process.stdout.write(JSON.stringify({ device, version, graphs, ...found }));
} catch (error) {
  process.stderr.write((error as Error).message);
  process.exitCode = 1;
}
