// Writes docs/figures.md from the figures in docs/figures/. Usage: npx node docs/makeGallery.ts [folder of made
// figures]. With a folder (output/figures), its figures are first copied to docs/figures/: picture, claims, record.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { FigureRecord } from '../src/figures/FigureRecord.ts';
import { type ClaimsRow, claimsTable } from '../src/figures/judgedClaims.ts';
import { shortOf } from '../src/figures/report/markup.ts';
import { countVerdicts, intervalText, regionText } from '../src/figures/report/reportPage.ts';
import { piecesOf } from '../src/plots/subscripts.ts';
import { readTable } from '../src/tables/readTable.ts';

const PAGE = join(import.meta.dirname, 'figures.md');
const FOLDER = join(import.meta.dirname, 'figures');
const FILES = ['figure.json', 'claims.parquet', 'figure.svg'];
/** What is shown: not what only proves that a figure runs. */
const WIDTH = 112;
const isShown = (scale: string) => scale !== 'smoke';

/** A text with its subscripts set as such. */
const math = (text: string) =>
  piecesOf(text)
    .map(({ text, size, drop }) => (size === 1 ? text : drop > 0 ? `<sub>${text}</sub>` : `<sup>${text}</sup>`))
    .join('');
const cell = (text: string) => math(text).replaceAll('|', '\\|');
/** Prose in lines of the page's width; those after the first are indented. */
function wrapped(text: string, indent = ''): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '' || line === indent) lines[lines.length - 1] = line + word;
    else if ([...line, ...word].length < WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(indent + word);
  }
  return lines;
}
const item = (text: string) => wrapped(`- ${math(text)}`, '  ');
const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
const short = (x: number | null) => (x === null ? '–' : `${shortOf(x, 4)}`);

/** Copies what the gallery shows of the figures that were made. */
function copyFigures(from: string): void {
  for (const scale of readdirSync(from).filter(isShown)) {
    for (const name of readdirSync(join(from, scale))) {
      const made = join(from, scale, name);
      if (!existsSync(join(made, 'figure.json'))) continue;
      const target = join(FOLDER, `${name}-${scale}`);
      rmSync(target, { recursive: true, force: true });
      mkdirSync(target, { recursive: true });
      for (const file of FILES) copyFileSync(join(made, file), join(target, file));
      // Where the data lay is nobody else's concern.
      const record = JSON.parse(readFileSync(join(target, 'figure.json'), 'utf8')) as FigureRecord;
      const data = record.data == null ? null : basename(record.data);
      writeFileSync(join(target, 'figure.json'), `${JSON.stringify({ ...record, data }, null, 2)}\n`);
    }
  }
}

interface Shown {
  readonly folder: string;
  readonly record: FigureRecord;
  readonly claims: readonly ClaimsRow[];
}

async function readFigures(): Promise<Shown[]> {
  const order = new Intl.Collator('en', { numeric: true });
  const folders = readdirSync(FOLDER).sort((a, b) => order.compare(a, b));
  return Promise.all(
    folders.map(async (folder) => ({
      folder,
      record: JSON.parse(readFileSync(join(FOLDER, folder, 'figure.json'), 'utf8')) as FigureRecord,
      claims: (await readTable(join(FOLDER, folder, 'claims.parquet'), claimsTable)).rows,
    })),
  );
}

function section({ folder, record, claims }: Shown): string[] {
  const open = record.settings.filter(({ paper }) => paper === null);
  const other = record.settings.filter(({ paper, here }) => paper !== null && paper !== here);
  const command = `npm run figure -- ${record.figure}${record.scale === 'laptop' ? '' : ` --scale ${record.scale}`}`;
  return [
    '',
    `## ${record.figure}: ${math(record.title)}`,
    '',
    ...wrapped(
      `${record.source}. Scale: ${record.scale}. [${record.file}](../${record.file}), made by \`${command}\`.`,
    ),
    '',
    ...wrapped(math(record.about)),
    '',
    `![Figure ${record.figure} at the scale ${record.scale}](figures/${folder}/figure.svg)`,
    '',
    ...(claims.length > 0
      ? [
          `**${countVerdicts(claims)}.**`,
          '',
          '| claim | verdict | value | 95 % interval | holds |',
          '| :-- | :-- | --: | :-- | :-- |',
          ...claims.map((claim) =>
            row([
              claim.says,
              claim.verdict === 'holds' ? 'holds' : `**${claim.verdict}**`,
              short(claim.value),
              claim.value === null
                ? claim.reason
                : claim.low === claim.high
                  ? 'counted, no error'
                  : intervalText(claim),
              regionText(claim),
            ]),
          ),
        ]
      : []),
    ...(other.length > 0
      ? [
          '',
          'Other than in the paper:',
          ...other.flatMap(({ name, paper, here, why }) => item(`${name}: ${here} (the paper: ${paper}); ${why}.`)),
        ]
      : []),
    ...(open.length > 0
      ? ['', 'What the paper leaves open:', ...open.flatMap(({ name, here, why }) => item(`${name}: ${here}; ${why}.`))]
      : []),
  ];
}

/** How a claim of one's own is judged. */
const OWN = [
  '## A claim of your own',
  '',
  'What judges the figures is there for any table. An interval along a run knows that neighbours are alike, also where',
  'they alternate; it says nothing of another seed, which `betweenSeeds` does.',
  '',
  '```ts',
  "import { blockInterval, gradientDescent, interactionAwareSharpness, judge, leastSquares, run, toParquet } from 'brink';",
  '',
  'const X = Array.from({ length: 32 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);',
  'const objective = leastSquares({ X, y: X.map((_, i) => Math.sin(7 * i)) });',
  'const result = await run(gradientDescent(objective, { learningRate: 0.1, steps: 100, batchSize: 4 }), {',
  '  sharpness: (s) => s.pipe(interactionAwareSharpness({ batchSizes: [4] }), toParquet()),',
  "}, { directory: 'output/claim', overwrite: true, progress: false });",
  "const rows = await result.rows('sharpness');",
  "const estimate = blockInterval(rows.map(({ interaction, edge }) => interaction / edge), 'median');",
  'console.log(estimate, judge(estimate, { low: 0, high: 1 }));',
  '```',
  '',
  'A file that exports `figure({ … })`, as those in [pipelines/figures](../pipelines/figures) do, is made by',
  '`npx brink figure FILE`: runs, claims, picture, report. `npx brink report DIR…` writes one page of figures and runs,',
  '`npx brink report verify report.html` compares a page with its tables, and fails where one cell of them was changed.',
];

/** The page, from what lies in docs/figures. */
export async function gallery(): Promise<string> {
  const figures = await readFigures();
  const claims = figures.flatMap((figure) => figure.claims);
  const fails = claims.filter(({ verdict }) => verdict === 'does not hold');
  return [
    '# The figures of the paper, and what became of their claims',
    '',
    '`npm run figures` makes all of them at the scale of a laptop, `npm run figure -- 4` one, `--scale paper` with the',
    "paper's settings. Each leaves its tables, `claims.parquet`, `figure.svg` and `report.html`. This page is made from",
    'those by `npx node docs/makeGallery.ts`; no number in it was typed.',
    '',
    ...wrapped(
      `In all ${claims.length} claims: ${countVerdicts(claims)}. A claim holds where its whole 95 % interval lies in the region that was fixed before the run, and does not hold where the whole interval lies outside. One seed each, where nothing else is said: an interval speaks of that run.`,
    ),
    '',
    ...OWN,
    '',
    '## Where a claim does not hold',
    '',
    ...fails.flatMap(({ figure, scale, says, value, low, high }) =>
      item(
        `Figure ${figure} (${scale}): ${says} Measured ${short(value)}${low === high ? '' : `, ${short(low)} to ${short(high)}`}.`,
      ),
    ),
    ...figures.flatMap(section),
    '',
  ].join('\n');
}

if (import.meta.main) {
  const from = process.argv[2];
  if (from !== undefined) copyFigures(from);
  writeFileSync(PAGE, await gallery());
}
