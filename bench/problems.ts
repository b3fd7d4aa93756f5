import { cnn6 } from '../src/models/cnn6.ts';
import { mlp } from '../src/models/mlp.ts';
import { resnet9 } from '../src/models/resnet9.ts';

/** What products are timed on: a model, the number of examples, and how many products make a round. */
export const problems = {
  cnn6: { model: cnn6(), examples: 256, productsPerRound: 1 },
  mlp: {
    model: mlp({ inputs: 64, hidden: [32, 32, 32], outputs: 10, activation: 'tanh', weightScale: 0.8 }),
    examples: 1024,
    productsPerRound: 50,
  },
  resnet9: { model: resnet9(), examples: 256, productsPerRound: 1 },
};

export type ProblemName = keyof typeof problems;
