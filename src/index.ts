import './requireNode.ts';
import './runs/withoutMaglev.ts';

export type { Account } from './core/Account.ts';
export type { Cost } from './core/Cost.ts';
export * as columns from './core/columns.ts';
export type { Dataset, Examples } from './core/Dataset.ts';
export { BrinkError, DivergedError } from './core/errors.ts';
export type { Json, JsonObject } from './core/Json.ts';
export type {
  HessianProduct,
  LossAndGradient,
  Objective,
  Performance,
  Point,
  Split,
} from './core/Objective.ts';
export type { Option, Options } from './core/Option.ts';
export * as options from './core/optionKinds.ts';
export type { ParameterShape, PyTorchLayout } from './core/Parameters.ts';
export type { RunBranch, StepRun } from './core/Step.ts';
export { type OpenStep, openStep, type Step } from './core/Step.ts';
export type { StepData } from './core/StepData.ts';
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
export type { Directions } from './core/usualOptions.ts';
export { type ArraysOptions, arrays } from './datasets/arrays.ts';
export { chebyshev } from './datasets/chebyshev.ts';
export type { CifarFiles } from './datasets/cifar.ts';
export { cifar10 } from './datasets/cifar10.ts';
export { cifar100 } from './datasets/cifar100.ts';
export { type DigitsOptions, digits } from './datasets/digits.ts';
export { type FileDataOptions, fileData } from './datasets/fileData.ts';
export type { ImageDataOptions } from './datasets/imageData.ts';
export { imageFolder } from './datasets/imageFolder.ts';
export type { OwnExamplesOptions } from './datasets/ownFiles/ownExamples.ts';
export { stl10 } from './datasets/stl10.ts';
export { type TableDataOptions, tableData } from './datasets/tableData.ts';
export { tinyImagenet } from './datasets/tinyImagenet.ts';
export { batchNorm, biasAdd, gelu, logSumExp, stopGradient } from './engine/kernels/ops.ts';
export type { Loss } from './engine/Loss.ts';
export type { Initializer, Model, Parameter } from './engine/Model.ts';
export { type Engine, type EngineName, openEngine } from './engine/openEngine.ts';
export { type EmpiricalRiskOptions, empiricalRisk } from './engine/risk/empiricalRisk.ts';
export {
  type Claim,
  type ClaimRegion,
  type Figure,
  type FigureDeclaration,
  type FigureInputs,
  figure,
  type PlannedRun,
  type Setting,
} from './figures/figure.ts';
export type { ClaimsRow } from './figures/judgedClaims.ts';
export type { MadeRun, MadeRuns } from './figures/MadeRuns.ts';
export { type MadeFigure, type MakeFigureOptions, makeFigure } from './figures/makeFigure.ts';
export { type ReportVerification, verifyReport } from './figures/report/verifyReport.ts';
export { type ReportSource, writeReport } from './figures/report/writeReport.ts';
export { crossEntropy } from './losses/crossEntropy.ts';
export { meanSquaredError } from './losses/meanSquaredError.ts';
export { type CnnOptions, cnn } from './models/cnn.ts';
export { type Cnn6Options, cnn6 } from './models/cnn6.ts';
export { type LayersModelOptions, layersModel } from './models/layersModel.ts';
export { type MlpOptions, mlp } from './models/mlp.ts';
export { type ResNet9Options, resnet9 } from './models/resnet9.ts';
export { type WideResNetOptions, wideResnet } from './models/wideResnet.ts';
export { createObjective } from './objectives/createObjective.ts';
export type { Derivatives } from './objectives/Derivatives.ts';
export { type LeastSquaresOptions, leastSquares } from './objectives/leastSquares.ts';
export { type QuadraticOptions, quadratic, toy } from './objectives/quadratic.ts';
export { type Check, type Verification, type VerifyOptions, verifyObjective } from './objectives/verifyObjective.ts';
export { alongside, type Joined } from './operators/alongside.ts';
export { type FannedOut, fanOut } from './operators/fanOut.ts';
export { type Measurement, type MeasureOptions, measure, measureAlong } from './operators/measure.ts';
export { type NearOptions, near } from './operators/near.ts';
export { type ThrottleBudgetOptions, throttleBudget } from './operators/throttleBudget.ts';
export { throttleSteps } from './operators/throttleSteps.ts';
export { type UntilPassedOptions, untilPassed } from './operators/untilPassed.ts';
export { type ChartOptions, chart } from './plots/chart.ts';
export { type Heat, heat } from './plots/heat.ts';
export type { Layer } from './plots/Layer.ts';
export { type Line, line } from './plots/line.ts';
export { type PanelsOptions, panels } from './plots/panels.ts';
export { type PlotTableOptions, plotTable } from './plots/plotTable.ts';
export { type Points, points } from './plots/points.ts';
export type { Reading } from './plots/readings.ts';
export { type Rule, rule } from './plots/rule.ts';
export type { Axis } from './plots/Scale.ts';
export { type SharpnessPlotData, sharpnessPlot } from './plots/sharpnessPlot.ts';
export { type Slope, slope } from './plots/slope.ts';
export { shades } from './plots/styles.ts';
export { toSvg } from './plots/toSvg.ts';
export { writeSvg } from './plots/writeSvg.ts';
export * from './probes/index.ts';
export { type OptionsOf, type Probe, type ProbeDeclaration, type ProbeOptions, probe } from './probes/probe.ts';
export { type CheckpointsOptions, checkpoints } from './recording/checkpoints.ts';
export { type ForkOptions, fork } from './recording/fork.ts';
export {
  type LoadWeightsOptions,
  loadWeights,
  type TrainableWeights,
  type WeightsShape,
} from './recording/loadWeights.ts';
export { objectiveOf } from './recording/objectiveOf.ts';
export type { ObjectiveOfOptions } from './recording/rebuildObjective.ts';
export { type RecordOptions, record } from './recording/record.ts';
export { type ReplayOptions, replay } from './recording/replay.ts';
export { type ResumeOptions, resume } from './recording/resume.ts';
export { type SaveWeightsOptions, saveWeights, type WeightsLayout } from './recording/saveWeights.ts';
export type { Branch, Branches } from './runs/branches.ts';
export { recover } from './runs/recover.ts';
export {
  type BranchSummary,
  type RunOptions,
  type RunState,
  type RunSummary,
  run,
} from './runs/run.ts';
export { business, economy, full, type SetOptions } from './runs/sets.ts';
export type { FittedLine } from './statistics/bestLine.ts';
export { betweenSeeds } from './statistics/betweenSeeds.ts';
export { binomialInterval } from './statistics/binomialInterval.ts';
export { type BlockIntervalOptions, blockInterval } from './statistics/blockInterval.ts';
export type { Estimate } from './statistics/Estimate.ts';
export { type Crossing, firstCrossing } from './statistics/firstCrossing.ts';
export { jackknife } from './statistics/jackknife.ts';
export { judge, type Region, type Verdict } from './statistics/judge.ts';
export { type LinePoints, lineFit } from './statistics/lineFit.ts';
export { type LineColumns, type LineInterval, lineFitInterval } from './statistics/lineFitInterval.ts';
export { ratioOfSums } from './statistics/ratioOfSums.ts';
export { type CollectedSweep, type CollectOptions, collectSweep } from './sweep/collectSweep.ts';
export { type Cell, planSweep, type SweepAxis, type SweepPlan, type SweepRequest } from './sweep/planSweep.ts';
export { type RunSweepOptions, runSweep, type SweepSummary } from './sweep/runSweep.ts';
export {
  type SubmitOptions,
  type SubmittedJob,
  type SubmittedSweep,
  submitSweep,
} from './sweep/submitSweep.ts';
export type { CellRun } from './sweep/sweepModule.ts';
export { type CellState, type StatusOptions, type SweepStatus, sweepStatus } from './sweep/sweepStatus.ts';
export { writePlan } from './sweep/writePlan.ts';
export { type ReadTable, readTable } from './tables/readTable.ts';
export type { RecoveredTable, RecoverOptions } from './tables/recoverTable.ts';
export type { SinkOptions } from './tables/tableSink.ts';
export { toArrow } from './tables/toArrow.ts';
export { toCsv } from './tables/toCsv.ts';
export { toParquet } from './tables/toParquet.ts';
export { type TensorBoardOptions, toTensorBoard } from './tables/toTensorBoard.ts';
export { type BestLearningRate, bestLearningRates, type TunedRun } from './theory/bestLearningRates.ts';
export { concentrationOfBatch, type LssrOptions, lssr, type ScaledLearningRate, type Scaling } from './theory/lssr.ts';
export { rhoFromPairs, type TunedPair } from './theory/rhoFromPairs.ts';
export {
  type RhoOfRun,
  type RhoOfRunOptions,
  rhoOfRun,
  rhoOfRuns,
  type TracesOfBatch,
  type TracesOfExample,
} from './theory/rhoOfRun.ts';
export { samplingCoefficient } from './theory/samplingCoefficient.ts';
export { stabilityEdge } from './theory/stabilityEdge.ts';
export { gradientDescent } from './training/gradientDescent.ts';
export type { ConstantSchedule, CosineSchedule, Schedule, StepsSchedule } from './training/schedule.ts';
export type { GradientDescentOptions } from './training/settings.ts';
