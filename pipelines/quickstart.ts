// A tanh network learns 1,024 digits by full-batch gradient descent until it stands at the edge of stability.
import {
  digits,
  empiricalRisk,
  gradientDescent,
  interactionAwareSharpness,
  meanSquaredError,
  mlp,
  run,
  sharpnessPlot,
  throttleSteps,
  toArrow,
  toParquet,
  topEigenvalues,
  trainingLoss,
  writeSvg,
} from 'brink';

const directory = 'output/quickstart';
const model = mlp({ inputs: 64, hidden: [32, 32, 32], outputs: 10, activation: 'tanh', weightScale: 0.8 });
const objective = await empiricalRisk({ model, data: await digits({ train: 1024 }), loss: meanSquaredError });
const steps = gradientDescent(objective, { learningRate: 0.2, steps: 480, seed: 2 });

const result = await run(
  steps,
  {
    loss: (s) => s.pipe(trainingLoss(), toArrow()),
    eigenvalues: (s) => s.pipe(throttleSteps(3), topEigenvalues({ tolerance: 0.01 }), toParquet()),
    sharpness: (s) => s.pipe(interactionAwareSharpness(), toParquet()),
  },
  { directory, overwrite: true },
);

const eigenvalues = await result.rows('eigenvalues');
const sharpness = await result.rows('sharpness');
await writeSvg(sharpnessPlot({ eigenvalues, sharpness }), `${directory}/sharpness.svg`);

const report = (name: string, rows: { step: number; value: number; edge: number }[]) => {
  const passed = rows.find(({ value, edge }) => value > edge);
  if (!passed) return console.log(`${name} stayed below the edge`);
  const after = rows.filter(({ step }) => step >= passed.step).map(({ value, edge }) => value / edge);
  const median = after.sort((a, b) => a - b)[Math.floor(after.length / 2)]!;
  console.log(
    `${name} passed 2/η = ${passed.edge} at step ${passed.step}; since then its median is ${median.toFixed(3)} × 2/η`,
  );
};
report(
  'the sharpness λ₁',
  eigenvalues.map(({ step, lambda_1, edge }) => ({ step, value: lambda_1, edge })),
);
report(
  'the interaction-aware sharpness ‖H‖',
  sharpness.map(({ step, ias, edge }) => ({ step, value: ias, edge })),
);
console.log(`npx brink watch ${directory} shows it in a browser, also while it runs`);
