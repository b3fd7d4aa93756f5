// A tanh network learns 1,024 digits by full-batch gradient descent until it stands at the edge of stability.
import {
  digits,
  empiricalRisk,
  gradientDescent,
  interactionAwareSharpness,
  meanSquaredError,
  mlp,
  readTable,
  run,
  sharpnessPlot,
  throttleSteps,
  toArrow,
  topEigenvalues,
  toParquet,
  trainingLoss,
  writeSvg,
} from 'brink';

const directory = 'output/quickstart';
const model = mlp({ inputs: 64, hidden: [32, 32, 32], outputs: 10, activation: 'tanh', weightScale: 0.8 });
const objective = await empiricalRisk({ model, data: await digits({ train: 1024 }), loss: meanSquaredError });
const steps = gradientDescent(objective, { learningRate: 0.2, steps: 500 });

await run(
  steps,
  {
    loss: (s) => s.pipe(trainingLoss(objective), toArrow(trainingLoss.table)),
    eigenvalues: (s) => s.pipe(throttleSteps(3), topEigenvalues(objective), toParquet(topEigenvalues.table)),
    sharpness: (s) => s.pipe(interactionAwareSharpness(objective), toParquet(interactionAwareSharpness.table)),
  },
  { directory, overwrite: true },
);

const { rows: eigenvalues } = await readTable(`${directory}/eigenvalues.parquet`, topEigenvalues.table);
const { rows: sharpness } = await readTable(`${directory}/sharpness.parquet`, interactionAwareSharpness.table);
await writeSvg(sharpnessPlot({ eigenvalues, sharpness }), `${directory}/sharpness.svg`);
