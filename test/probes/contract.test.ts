import { alignment } from '../../src/probes/alignment.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { lossSlice } from '../../src/probes/lossSlice.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { probeContract } from './contract.ts';

// One line enrols a probe.
probeContract(alignment, alignment);
probeContract(gradientConcentration, gradientConcentration);
probeContract(interactionAwareSharpness, (objective) => interactionAwareSharpness(objective, { batchSizes: [1, 4] }));
probeContract(lossSlice, lossSlice);
probeContract(topEigenvalues, (objective) => topEigenvalues(objective, { count: 2, smallest: 1 }));
probeContract(trainingLoss, trainingLoss);
