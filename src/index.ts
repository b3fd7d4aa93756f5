export type { Dataset, Examples } from './core/Dataset.ts';
export { BrinkError, DivergedError } from './core/errors.ts';
export type { Json, JsonObject } from './core/Json.ts';
export type {
  Cost,
  HessianProduct,
  LossAndGradient,
  Objective,
  Performance,
  Point,
  Split,
} from './core/Objective.ts';
export { type OpenStep, openStep, type Step, type StepData } from './core/Step.ts';
export type { StepSource } from './core/StepSource.ts';
export {
  bool,
  type Column,
  type Columns,
  type ColumnType,
  defineTable,
  float64,
  int32,
  list,
  nullable,
  type Row,
  type Table,
  utf8,
} from './core/Table.ts';
export { type ArraysOptions, arrays } from './datasets/arrays.ts';
export { chebyshev } from './datasets/chebyshev.ts';
export type { CifarFiles, CifarOptions } from './datasets/cifar.ts';
export { cifar10 } from './datasets/cifar10.ts';
export { cifar100 } from './datasets/cifar100.ts';
export { type DigitsOptions, digits } from './datasets/digits.ts';
export { batchNorm, biasAdd, gelu, logSumExp, stopGradient } from './engine/kernels/ops.ts';
export type { Loss } from './engine/Loss.ts';
export type { Initializer, Model, Parameter } from './engine/Model.ts';
export { type Engine, type EngineName, openEngine } from './engine/openEngine.ts';
export { type EmpiricalRiskOptions, empiricalRisk } from './engine/risk/empiricalRisk.ts';
export { crossEntropy } from './losses/crossEntropy.ts';
export { meanSquaredError } from './losses/meanSquaredError.ts';
export { type CnnOptions, cnn } from './models/cnn.ts';
export { type Cnn6Options, cnn6 } from './models/cnn6.ts';
export { type LayersModelOptions, layersModel } from './models/layersModel.ts';
export { type MlpOptions, mlp } from './models/mlp.ts';
export { type ResNet9Options, resnet9 } from './models/resnet9.ts';
export { type WideResNetOptions, wideResnet } from './models/wideResnet.ts';
export { createObjective, type Derivatives } from './objectives/createObjective.ts';
export { type LeastSquaresOptions, leastSquares } from './objectives/leastSquares.ts';
export { type QuadraticOptions, quadratic, toy } from './objectives/quadratic.ts';
export { type Check, type Verification, type VerifyOptions, verifyObjective } from './objectives/verifyObjective.ts';
export { type Measurement, measure, measureAlong } from './operators/measure.ts';
export { type ThrottleBudgetOptions, throttleBudget } from './operators/throttleBudget.ts';
export { throttleSteps } from './operators/throttleSteps.ts';
export { type SharpnessPlotData, sharpnessPlot } from './plots/sharpnessPlot.ts';
export { writeSvg } from './plots/writeSvg.ts';
export { type AlignmentOptions, alignment } from './probes/alignment.ts';
export { type BatchSharpnessOptions, batchSharpness } from './probes/batchSharpness.ts';
export { type EdgeOptions, edge } from './probes/edge.ts';
export { type ExpectedLossChangeOptions, expectedLossChange } from './probes/expectedLossChange.ts';
export { type GradientConcentrationOptions, gradientConcentration } from './probes/gradientConcentration.ts';
export { type HessianTraceOptions, hessianTrace } from './probes/hessianTrace.ts';
export {
  type InteractionAwareSharpnessOptions,
  interactionAwareSharpness,
} from './probes/interactionAwareSharpness.ts';
export { type LossPlaneOptions, lossPlane } from './probes/lossPlane.ts';
export { type LossSliceOptions, lossSlice } from './probes/lossSlice.ts';
export { type ResultantLengthOptions, resultantLength } from './probes/resultantLength.ts';
export { type ScalingRuleOptions, scalingRule } from './probes/scalingRule.ts';
export { type SpectralDensityOptions, spectralDensity } from './probes/spectralDensity.ts';
export { type TheoremOneOptions, theoremOne } from './probes/theoremOne.ts';
export { type TopEigenvaluesOptions, topEigenvalues } from './probes/topEigenvalues.ts';
export { type TrainingLossOptions, trainingLoss } from './probes/trainingLoss.ts';
export { type ForkOptions, fork } from './recording/fork.ts';
export { type ObjectiveOfOptions, objectiveOf } from './recording/objectiveOf.ts';
export { type RecordOptions, record } from './recording/record.ts';
export { type Replay, type ReplayOptions, replay } from './recording/replay.ts';
export {
  type Branch,
  type BranchSummary,
  type RunOptions,
  type RunState,
  type RunSummary,
  run,
} from './runs/run.ts';
export { type ReadTable, readTable } from './tables/readTable.ts';
export { type RecoveredTable, recover } from './tables/recover.ts';
export type { SinkOptions } from './tables/tableSink.ts';
export { toArrow } from './tables/toArrow.ts';
export { toParquet } from './tables/toParquet.ts';
export { concentrationOfBatch, type LssrOptions, lssr, type ScaledLearningRate, type Scaling } from './theory/lssr.ts';
export { samplingCoefficient } from './theory/samplingCoefficient.ts';
export { stabilityEdge } from './theory/stabilityEdge.ts';
export { type GradientDescentOptions, gradientDescent } from './training/gradientDescent.ts';
