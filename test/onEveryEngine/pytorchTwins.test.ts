import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, of } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrays } from '../../src/datasets/arrays.ts';
import { initialWeights, type Model } from '../../src/engine/Model.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { norm } from '../../src/linalg/vector.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { cnn } from '../../src/models/cnn.ts';
import { cnn6 } from '../../src/models/cnn6.ts';
import { mlp } from '../../src/models/mlp.ts';
import { resnet9 } from '../../src/models/resnet9.ts';
import { wideResnet } from '../../src/models/wideResnet.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { loadWeights } from '../../src/recording/loadWeights.ts';
import { saveWeights } from '../../src/recording/saveWeights.ts';
import { stepAt } from '../helpers/stepAt.ts';

/** A Python with torch, safetensors and numpy (4 GB): too large to be had for every test. */
const python = process.env.BRINK_TORCH_PYTHON;

/** Loads the weights strictly, and finds loss, gradient and λ₁ by power iteration in float64. */
const SCRIPT = `
import json, sys, numpy as np, torch
from safetensors.torch import load_file, save_file
sys.path.insert(0, ${JSON.stringify(join(import.meta.dirname, '../../fixtures/pytorch'))})
from twins import twin
about = json.load(open('about.json'))
net = twin(about['name'], about['config'])
net.load_state_dict(load_file('theta.safetensors'), strict=True)
net.double()
x = torch.tensor(np.fromfile('inputs.bin', np.float32)).double().reshape(about['shape'])
y = torch.tensor(about['labels'])
p = list(net.parameters())
loss = torch.nn.functional.cross_entropy(net(x), y)
g = torch.autograd.grad(loss, p, create_graph=True)
save_file({name: entry.contiguous() for (name, _), entry in zip(net.named_parameters(), g)}, 'gradient.safetensors')
dot = lambda a, b: sum((u * v).sum() for u, v in zip(a, b))

def dominant(shift):
    v = [torch.randn_like(u) for u in p]
    value = 0
    for k in range(1000):
        length = dot(v, v).sqrt()
        v = [u / length for u in v]
        Hv = [a - shift * b for a, b in zip(torch.autograd.grad(dot(g, v), p, retain_graph=True), v)]
        before, value = value, dot(v, Hv).item()
        v = Hv
        if abs(value - before) < 1e-9 * abs(value): break
    return value + shift

torch.manual_seed(0)
value = dominant(0)
if value < 0: value = dominant(value)
print(json.dumps({'loss': loss.item(), 'norm': dot(g, g).sqrt().item(), 'lambda1': value}))
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-twins-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const small = { inputShape: [8, 8, 3], outputs: 4 };
const models: readonly Model[] = [
  mlp({ inputs: 192, hidden: [7, 5], outputs: 4, activation: 'gelu' }),
  cnn({ ...small, channels: [3, 5], activation: 'tanh' }),
  cnn6(small),
  resnet9({ inputShape: [12, 12, 3], outputs: 4 }),
  resnet9({ inputShape: [12, 12, 3], outputs: 4, batchNorm: false }),
  wideResnet({ ...small, depth: 16, width: 1, activation: 'tanh' }),
];

describe.skipIf(python === undefined)('weights in PyTorch (BRINK_TORCH_PYTHON)', () => {
  it.each(models.map((model) => [`${model.name} ${JSON.stringify(model.config)}`, model] as const))(
    'have the same loss, gradient entry by entry, and λ₁: %s',
    async (_, model) => {
      const count = 12;
      const size = model.inputShape.reduce((a, b) => a * b, 1);
      const inputs = Float32Array.from(normals(generator(5), count * size));
      const labels = Array.from({ length: count }, (_, i) => i % 4);
      const data = arrays({ inputs, inputShape: model.inputShape, labels, classes: 4 });
      const objective = await empiricalRisk({ model, data, loss: crossEntropy });
      const weights = initialWeights(model, 3);
      saveWeights(join(folder, 'theta.safetensors'), model, weights, { layout: 'pytorch', overwrite: true });
      writeFileSync(join(folder, 'inputs.bin'), inputs);
      const about = { name: model.name, config: model.config, shape: [count, ...model.inputShape], labels };
      writeFileSync(join(folder, 'about.json'), JSON.stringify(about));
      const said = execFileSync(python!, ['-c', SCRIPT], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
      const theirs = JSON.parse(said);
      const point = objective.at(weights);
      const off = (found: number, expected: number) => Math.abs(found / expected - 1);
      expect(off(await point.loss(), theirs.loss), 'loss').toBeLessThan(2e-6);
      const gradient = await point.gradient();
      expect(off(norm(gradient), theirs.norm), 'gradient').toBeLessThan(2e-5);
      const entries = loadWeights(join(folder, 'gradient.safetensors'), model);
      const apart = Math.max(...gradient.map((entry, k) => Math.abs(entry - entries[k]!)));
      expect(apart / Math.max(...entries.map(Math.abs)), 'each entry of the gradient').toBeLessThan(2e-5);
      const probe = topEigenvalues({ tolerance: 1e-4 });
      const { lambda_1 } = await lastValueFrom(of(stepAt(weights, {}, { objective })).pipe(probe));
      expect(off(lambda_1, theirs.lambda1), `λ₁ ${lambda_1}, ${theirs.lambda1}`).toBeLessThan(2e-4);
    },
    120_000,
  );
});
