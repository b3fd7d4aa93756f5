// Every probe, one line each: what is here is exported, catalogued, documented and held to the laws of the tests.
export { type AlignmentOptions, type AlignmentRow, alignment } from './alignment.ts';
export { type BatchSharpnessOptions, type BatchSharpnessRow, batchSharpness } from './batchSharpness.ts';
export { type CriticalSharpnessOptions, type CriticalSharpnessRow, criticalSharpness } from './criticalSharpness.ts';
export { type EdgeOptions, type EdgeRow, edge } from './edge.ts';
export { type ExpectedLossChangeOptions, expectedLossChange, type LossChangeRow } from './expectedLossChange.ts';
export {
  type ConcentrationRow,
  type GradientConcentrationOptions,
  gradientConcentration,
} from './gradientConcentration.ts';
export { type HessianTraceOptions, hessianTrace, type TracesRow } from './hessianTrace.ts';
export {
  type InteractionAwareSharpnessOptions,
  interactionAwareSharpness,
  type SharpnessRow,
} from './interactionAwareSharpness.ts';
export { type LossPlaneOptions, lossPlane, type PlanesRow } from './lossPlane.ts';
export { type LossSliceOptions, lossSlice, type SlicesRow } from './lossSlice.ts';
export { type PlanePathOptions, type PlanePathRow, planePath } from './planePath.ts';
export { type ResultantLengthOptions, type ResultantLengthRow, resultantLength } from './resultantLength.ts';
export { type ScalingRow, type ScalingRuleOptions, scalingRule } from './scalingRule.ts';
export { type SliceMinimumOptions, type SliceMinimumRow, sliceMinimum } from './sliceMinimum.ts';
export { type SpectralDensityOptions, type SpectrumRow, spectralDensity } from './spectralDensity.ts';
export { type TheoremOneOptions, type TheoremOneRow, theoremOne } from './theoremOne.ts';
export { type EigenvaluesRow, type TopEigenvaluesOptions, topEigenvalues } from './topEigenvalues.ts';
export { type LossRow, type TrainingLossOptions, trainingLoss } from './trainingLoss.ts';
