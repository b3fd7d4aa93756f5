import {
  Bool,
  type Data,
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  type Vector,
} from 'apache-arrow';
import type { StepData } from '../core/StepData.ts';

/** A step as it was recorded; without the gradient, where that is to be computed again. */
export interface RecordedStep extends Omit<StepData, 'gradient'> {
  readonly gradient: Float32Array | null;
}

/** A column that holds one value a step. */
interface Column {
  readonly name: string;
  readonly type: DataType;
  readonly description: string;
  readonly nullable?: boolean;
  /** The step's value as a column of one row. */
  data(step: RecordedStep): Data;
}

const one = (type: DataType, data: ArrayLike<number>) =>
  makeData({ type, length: 1, nullCount: 0, data } as Parameters<typeof makeData>[0]);
const float64 = (name: string, description: string, value: (step: RecordedStep) => number): Column => {
  const type = new Float64();
  return { name, type, description, data: (step) => one(type, Float64Array.of(value(step))) };
};
const int32 = (name: string, description: string, value: (step: RecordedStep) => number): Column => {
  const type = new Int32();
  return { name, type, description, data: (step) => one(type, Int32Array.of(value(step))) };
};
const bool = (name: string, description: string, value: (step: RecordedStep) => boolean): Column => {
  const type = new Bool();
  return { name, type, description, data: (step) => one(type, Uint8Array.of(value(step) ? 1 : 0)) };
};
/** A vector [m], handed on without a copy. */
const vector = (
  name: string,
  description: string,
  m: number,
  value: (step: RecordedStep) => Float32Array | null,
): Column => {
  const element = new Float32();
  const type = new FixedSizeList(m, new Field('element', element, false));
  return {
    name,
    type,
    description,
    data: (step) => {
      const child = makeData({ type: element, length: m, nullCount: 0, data: value(step)! });
      return makeData({ type, length: 1, nullCount: 0, child });
    },
  };
};

const batch: Column = {
  name: 'batch',
  type: new List(new Field('element', new Int32(), false)),
  description: 'The examples of the batch; null: all n.',
  nullable: true,
  data({ batch: examples }) {
    const data = examples ?? new Int32Array(0);
    return makeData({
      type: this.type as List<Int32>,
      length: 1,
      nullCount: examples ? 0 : 1,
      nullBitmap: examples ? null : Uint8Array.of(0),
      valueOffsets: Int32Array.of(0, data.length),
      child: makeData({ type: new Int32(), length: data.length, nullCount: 0, data }),
    });
  },
};

/** What one recording's steps have in common: how long their vectors are, and which of them there are. */
export interface StepShape {
  /** m. */
  readonly paramCount: number;
  readonly hasVelocity: boolean;
  readonly hasGradient: boolean;
}

/** The columns of a recording. The step comes first, so that it is the first thing in a batch's body. */
function columnsOf({ paramCount: m, hasVelocity, hasGradient }: StepShape): readonly Column[] {
  return [
    int32('step', 'The step, t.', (step) => step.index),
    float64('epoch', 'Passes over the data so far.', (step) => step.epoch),
    float64('batch_loss', 'The loss of the batch, where the gradient was taken.', (step) => step.batchLoss),
    float64('learning_rate', 'η.', (step) => step.learningRate),
    float64('beta1', 'β₁ of generalized momentum.', (step) => step.beta1),
    float64('beta2', 'β₂ of generalized momentum.', (step) => step.beta2),
    int32('batch_size', 'b.', (step) => step.batchSize),
    bool('replacement', 'Whether a batch is drawn with replacement.', (step) => step.replacement),
    batch,
    vector('weights', 'θ_t.', m, (step) => step.weights),
    ...(hasVelocity ? [vector('velocity', 'δ_{t−1}.', m, (step) => step.velocity)] : []),
    ...(hasGradient ? [vector('gradient', 'The gradient that the update uses.', m, (step) => step.gradient)] : []),
  ];
}

/** Turns steps of one shape into record batches of one row. */
export interface StepEncoder {
  readonly schema: Schema;
  encode(step: RecordedStep): RecordBatch;
}

/** The encoder of steps of one shape; `keyValues` go into its schema. */
export function stepEncoder(shape: StepShape, keyValues: ReadonlyMap<string, string>): StepEncoder {
  const columns = columnsOf(shape);
  const fields = columns.map(
    ({ name, type, nullable = false, description }) =>
      new Field(name, type, nullable, new Map([['description', description]])),
  );
  const schema = new Schema(fields, new Map(keyValues));
  const type = new Struct(fields);
  return {
    schema,
    encode: (step) =>
      new RecordBatch(schema, makeData({ type, length: 1, nullCount: 0, children: columns.map((c) => c.data(step)) })),
  };
}

/** The shape of the steps under a schema; undefined where it is not that of a recording. */
export function shapeOf(schema: Schema): StepShape | undefined {
  const names = schema.fields.map((field) => field.name);
  const weights = schema.fields.find((field) => field.name === 'weights')?.type;
  if (!(weights instanceof FixedSizeList)) return undefined;
  const shape = {
    paramCount: weights.listSize,
    hasVelocity: names.includes('velocity'),
    hasGradient: names.includes('gradient'),
  };
  const describe = (fields: readonly { name: string; type: DataType }[]) =>
    fields.map(({ name, type }) => `${name}: ${type}`).join();
  return describe(schema.fields) === describe(columnsOf(shape)) ? shape : undefined;
}

/** The step in a batch; its arrays are its own. */
export function decodeStep(batch: RecordBatch): RecordedStep {
  // biome-ignore lint/suspicious/noExplicitAny: the schema was compared with the columns
  const value = (name: string): any => batch.getChild(name)?.get(0) ?? null;
  const floats = (name: string) => (value(name) as Vector<Float32> | null)?.toArray().slice() ?? null;
  return {
    index: value('step'),
    weights: floats('weights')!,
    gradient: floats('gradient'),
    batchLoss: value('batch_loss'),
    batch: (value('batch') as Vector<Int32> | null)?.toArray().slice() ?? null,
    batchSize: value('batch_size'),
    replacement: value('replacement'),
    learningRate: value('learning_rate'),
    beta1: value('beta1'),
    beta2: value('beta2'),
    velocity: floats('velocity'),
    epoch: value('epoch'),
  };
}
