import { datasets } from '../catalogue/datasets.ts';
import type { Dataset, Examples } from '../core/Dataset.ts';
import { BrinkError } from '../core/errors.ts';
import { type DescribedFile, describeFile } from '../datasets/ownFiles/describeFile.ts';
import { optionsOf, parseNamed } from '../runs/parseNamed.ts';
import { textTable } from './text.ts';

/** Some examples in numbers. */
interface DescribedExamples {
  readonly count: number;
  readonly inputs: { readonly range: readonly [number, number]; readonly mean: number; readonly std: number };
  /** Entries of the inputs that are the same in all examples. */
  readonly constantEntries: number;
  /** Examples whose inputs another one before has too. */
  readonly repeated: number;
  /** Examples of each class. */
  readonly classes?: Readonly<Record<string, number>>;
  readonly targets?: { readonly range: readonly [number, number]; readonly mean: number; readonly std: number };
}

/** `brink data show`. */
export async function showData(who: string, text: string, isJson: boolean): Promise<void> {
  const spec = parseNamed(who, 'data set', text, datasets);
  const entry = datasets[spec.name]!;
  const options = optionsOf(who, 'data set', spec, datasets) as { readonly path?: string };
  const file = options.path === undefined ? null : await describeFile(who, options.path);
  const data = await entry.open(options).catch((error: unknown) => {
    if (!(error instanceof BrinkError) || file === null) throw error;
    return error;
  });
  const described = data instanceof Error ? null : describe(data);
  const refused = data instanceof Error ? data.message : null;
  if (isJson) console.log(JSON.stringify({ file, data: described, refused }, null, 2));
  else console.log([...(file ? [fileText(file)] : []), ...(described ? [dataText(described)] : [])].join('\n\n'));
  if (refused === null) return;
  if (!isJson) console.error(refused);
  process.exitCode = 1;
}

function describe(data: Dataset) {
  const { name, inputShape, outputCount, classes, metadata } = data;
  const examples = (split: Examples) => describeExamples(split, classes, outputCount);
  return {
    name,
    inputShape,
    outputCount,
    train: examples(data.train),
    test: data.test && examples(data.test),
    metadata,
  };
}

function describeExamples(
  { count, inputs, targets, labels }: Examples,
  classes: readonly string[] | null,
  outputCount: number,
): DescribedExamples {
  const size = inputs.length / count;
  const changes = new Uint8Array(size);
  inputs.forEach((value, k) => {
    if (value !== inputs[k % size]) changes[k % size] = 1;
  });
  const bytes = Buffer.from(inputs.buffer, inputs.byteOffset, inputs.byteLength);
  const seen = new Set(
    Array.from({ length: count }, (_, i) => bytes.toString('latin1', 4 * i * size, 4 * (i + 1) * size)),
  );
  const perClass = new Int32Array(outputCount);
  if (labels !== null) for (const label of labels) perClass[label]!++;
  return {
    count,
    inputs: moments(inputs),
    constantEntries: size - changes.reduce((a, b) => a + b, 0),
    repeated: count - seen.size,
    ...(classes === null
      ? { targets: moments(targets) }
      : { classes: Object.fromEntries(classes.map((name, c) => [name, perClass[c]!])) }),
  };
}

function moments(values: Float32Array) {
  let [least, most, mean, square] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
    mean += value;
  }
  mean /= values.length;
  for (const value of values) square += (value - mean) ** 2;
  return { range: [least, most] as const, mean, std: Math.sqrt(square / values.length) };
}

const short = (value: number) => `${Number(value.toPrecision(4))}`;
const interval = ([least, most]: readonly [number, number]) => `${short(least)} … ${short(most)}`;

function fileText({ file, sha256, parts }: DescribedFile): string {
  const rows = parts.map(({ name, type, shape, missing, range, distinct }) => [
    name,
    type,
    `[${shape.join(', ')}]`,
    `${missing}`,
    range === null ? '' : interval(range),
    `${distinct}`,
  ]);
  const table = textTable([['', 'type', 'shape', 'missing', 'range', 'distinct'], ...rows], '  ');
  const faults = parts.flatMap(({ fault }) => (fault === null ? [] : [`\n  ${fault}`]));
  return `${file}  SHA-256 ${sha256}\n${table}${faults.join('')}`;
}

function dataText({ name, inputShape, outputCount, train, test, metadata }: ReturnType<typeof describe>): string {
  const splits = [['train', train] as const, ...(test ? [['test', test] as const] : [])];
  const row = (title: string, value: (split: DescribedExamples) => string) => [
    title,
    ...splits.map(([, split]) => value(split)),
  ];
  const checksum = (split: string, of: string) => (metadata[split] as Record<string, string>)[of]!.slice(0, 16);
  const rows = [
    ['', ...splits.map(([split]) => split)],
    row('examples', ({ count }) => `${count}`),
    row('inputs', ({ inputs }) => interval(inputs.range)),
    row('  mean', ({ inputs }) => short(inputs.mean)),
    row('  standard deviation', ({ inputs }) => short(inputs.std)),
    row('  entries that never change', ({ constantEntries }) => `${constantEntries}`),
    row('  repeated examples', ({ repeated }) => `${repeated}`),
    ...(train.targets
      ? [
          row('targets', ({ targets }) => interval(targets!.range)),
          row('  mean', ({ targets }) => short(targets!.mean)),
          row('  standard deviation', ({ targets }) => short(targets!.std)),
        ]
      : Object.keys(train.classes!).map((label, c) =>
          row(c === 0 ? `class ${label}` : `      ${label}`, ({ classes }) => `${classes![label]}`),
        )),
    ['SHA-256 of inputs', ...splits.map(([split]) => checksum(split, 'inputsSha256'))],
    ['SHA-256 of targets', ...splits.map(([split]) => checksum(split, 'targetsSha256'))],
  ];
  return `${name}: inputs [${inputShape.join(', ')}], ${outputCount} outputs, float32\n${textTable(rows, '  ')}`;
}
