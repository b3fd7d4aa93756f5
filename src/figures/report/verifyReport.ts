import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BrinkError } from '../../core/errors.ts';
import { VERSIONS } from '../../files/versions.ts';
import { toSvg } from '../../plots/toSvg.ts';
import { judge } from '../../statistics/judge.ts';
import { definitionHash } from '../definitionHash.ts';
import type { FigureRecord } from '../FigureRecord.ts';
import { presetOf } from '../figure.ts';
import { importFigure } from '../importFigure.ts';
import { type ClaimsRow, judgedClaim } from '../judgedClaims.ts';
import { readMadeRuns } from '../MadeRuns.ts';
import { readPart, sha256 } from './readPart.ts';
import type { ReportBlock } from './reportPage.ts';
import { reportText } from './writeReport.ts';

/** What came of comparing a report with its tables. */
export interface ReportVerification {
  /** What does not agree; empty: the report says what the tables say. */
  readonly problems: readonly string[];
  /** What could not be compared, and why. */
  readonly notices: readonly string[];
  /** How many tables and claims were compared. */
  readonly tables: number;
  readonly claims: number;
}

const WHO = 'report verify';

/**
 * Compares a report with the tables that it tells of: hashes and numbers of rows, each claim's numbers and verdict with
 * `claims.parquet` and with its rule, each claim measured and the picture drawn again from the tables where the
 * figure's file is the one that made it, and at last the whole page, byte by byte.
 *
 * It does not train again: that the tables are what training gives is said by a replay or by making the figure anew.
 *
 * Cost: every table is read and hashed, every claim measured and every figure drawn again.
 *
 * @param path The report.
 * @param options `tables`: the folders of its parts, in order, where they have moved; `definition`: the figure's file,
 *   where it has moved.
 * @throws BrinkError as a rejection where the file is no report of brink's.
 */
export async function verifyReport(
  path: string,
  options: { readonly tables?: readonly string[]; readonly definition?: string } = {},
): Promise<ReportVerification> {
  const page = readFileSync(path, 'utf8');
  const block = blockOf(path, page);
  const problems: string[] = [];
  const notices: string[] = [];
  const folders = block.parts.map(({ folder }, i) => resolve(options.tables?.[i] ?? join(dirname(path), folder)));
  let tables = 0;
  let claims = 0;
  for (const [i, part] of block.parts.entries()) {
    const folder = folders[i]!;
    for (const { path: file, sha256: expected } of part.tables) {
      tables++;
      const there = join(folder, file);
      if (!existsSync(there)) problems.push(`${there} is missing.`);
      else if (sha256(there) !== expected)
        problems.push(`${there} is not the table that the report tells of: its SHA-256 is another.`);
    }
    const reported = part.claims as unknown as readonly ClaimsRow[];
    claims += reported.length;
    for (const claim of reported) problems.push(...checkVerdict(claim));
  }
  // Where a table is another, or damaged, nothing that follows from it can be compared.
  if (problems.length > 0) return { problems, notices, tables, claims };

  for (const [i, { claims: reported }] of block.parts.entries()) {
    const { figure, claims: written, pictures } = await readPart(folders[i]!);
    if (figure === null) continue;
    problems.push(...difference('claims.parquet', reported as unknown as ClaimsRow[], written));
    const file = resolve(options.definition ?? figure.file);
    const again = await makeAgain(figure, file, folders[i]!);
    if (typeof again === 'string') {
      notices.push(again);
      continue;
    }
    problems.push(...difference('measuring the tables again', reported as unknown as ClaimsRow[], again.claims));
    problems.push(...again.untrue);
    if (pictures[0]!.svg !== again.svg) {
      problems.push(`${join(folders[i]!, 'figure.svg')} is not the picture that its tables give.`);
    }
  }
  const sources = folders.map((directory) => ({ directory }));
  const again = await reportText(
    sources,
    block.parts.map(({ folder }) => folder),
  );
  if (again !== page) {
    problems.push(
      block.brink === VERSIONS.brink
        ? 'The page differs from the one that its tables give: it was edited, or written from elsewhere.'
        : `The page says that brink ${block.brink} has written it, and differs from what this one, ${VERSIONS.brink}, makes of the tables: it was edited, or that version writes it otherwise. Verify it by that version, or write it anew.`,
    );
  }
  return { problems, notices, tables, claims };
}

function blockOf(path: string, page: string): ReportBlock {
  const [, text] = /<script type="application\/json" id="brink-report">(.*?)<\/script>/s.exec(page) ?? [];
  try {
    if (text !== undefined) return JSON.parse(text) as ReportBlock;
  } catch {}
  throw new BrinkError(
    WHO,
    `${path} is no report of brink's, or is damaged: it has no block that can be read. Write it anew: brink report.`,
  );
}

function checkVerdict({ claim, value, low, high, region_low, region_high, verdict }: ClaimsRow): string[] {
  const estimate =
    value === null ? null : { value, low: low ?? Number.NEGATIVE_INFINITY, high: high ?? Number.POSITIVE_INFINITY };
  const region = { low: region_low ?? Number.NEGATIVE_INFINITY, high: region_high ?? Number.POSITIVE_INFINITY };
  const judged = judge(estimate, region);
  return judged === verdict
    ? []
    : [`The claim ${claim} is said to be '${verdict}', and by its own numbers it is '${judged}'.`];
}

/** What the figure's file makes of the tables. */
interface MadeAgain {
  readonly claims: readonly ClaimsRow[];
  readonly svg: string;
  /** Of the record, the sentences that the file does not say. */
  readonly untrue: readonly string[];
}

/** Claims and picture from the tables; a text says why they can't be had. */
async function makeAgain(figure: FigureRecord, file: string, directory: string): Promise<MadeAgain | string> {
  const untold = 'The claims were not measured again from the tables, nor was the picture drawn again:';
  if (!existsSync(file)) return `${untold} the figure's file ${file} is not there (--definition names it).`;
  const { preset, seeds, dataSha256, definition, scale } = figure;
  if (definitionHash(file, { preset, seeds, dataSha256 }) !== definition) {
    return `${untold} ${file} is another than the one that made the figure.`;
  }
  const declared = await importFigure(file);
  const runs = await readMadeRuns(directory, figure.runs, seeds);
  const declaredPreset = presetOf(declared, scale);
  const { title, source, about } = declared;
  const said = { title, source, about, settings: declared.settings(declaredPreset) };
  const names = ['title', 'source', 'about', 'settings'] as const;
  return {
    claims: declared.claims(declaredPreset).map((claim) => judgedClaim(figure.figure, scale, claim, runs)),
    svg: await toSvg(declared.plot(runs[0]!, declaredPreset, runs)),
    untrue: names
      .filter((name) => JSON.stringify(figure[name]) !== JSON.stringify(said[name]))
      .map((name) => `${join(directory, 'figure.json')} has another ${name} than ${file} says.`),
  };
}

function difference(from: string, reported: readonly ClaimsRow[], found: readonly ClaimsRow[]): string[] {
  if (reported.length !== found.length)
    return [`The report has ${reported.length} claims, and ${from} gives ${found.length}.`];
  return reported.flatMap((claim, i) => {
    const other = found[i]!;
    const names = Object.keys(claim) as (keyof ClaimsRow)[];
    const different = names.filter((name) => JSON.stringify(claim[name]) !== JSON.stringify(other[name]));
    return different.map(
      (name) => `The claim ${claim.claim} has ${name} ${claim[name]} in the report, and ${from} gives ${other[name]}.`,
    );
  });
}
