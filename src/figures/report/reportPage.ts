import type { Json, JsonObject } from '../../core/Json.ts';
import { shellWord } from '../../core/shellWord.ts';
import { VERSIONS } from '../../files/versions.ts';
import type { Setting } from '../figure.ts';
import type { ClaimsRow } from '../judgedClaims.ts';
import { healthOf } from './health.ts';
import { heading, html, Markup, math, number, shortOf, table } from './markup.ts';
import type { ReportedPart, ReportedRun } from './readPart.ts';

/** What the page carries for machines. */
export interface ReportBlock {
  readonly brink: string;
  readonly parts: readonly {
    /** Where its files lie, from the page's folder. */
    readonly folder: string;
    readonly figure: JsonObject | null;
    readonly claims: readonly JsonObject[];
    readonly tables: readonly { readonly path: string; readonly sha256: string; readonly rows: number }[];
  }[];
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #ccc; --soft: #f4f4f2; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #161616; --line: #444; --soft: #222; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
.verdicts { font-size: 1.3rem; font-weight: 600; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border: 1px solid var(--line); }
th { background: var(--soft); } code { font-size: .85em; overflow-wrap: anywhere; }
figure { margin: 1rem 0; padding: .5rem; background: #fff; color: #1a1a1a; border: 1px solid var(--line); }
figure svg { max-width: 100%; height: auto; } figcaption { font-size: .9rem; }
.claim { border-left: .4rem solid var(--line); padding-left: 1rem; margin: 1.5rem 0; }
.holds { border-color: #0072b2; } .fails { border-color: #d55e00; border-left-style: double; }
.open { border-left-style: dashed; }
pre { white-space: pre-wrap; } pre code { overflow-wrap: anywhere; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem 1.5rem; overflow-wrap: anywhere; }
@media print { :root { color-scheme: light; } body { max-width: none; font-size: 11px; } .claim, figure { break-inside: avoid; }
  details::details-content { content-visibility: visible; } }
`;

const CLASS: Readonly<Record<string, string>> = {
  holds: 'holds',
  'does not hold': 'fails',
  'not decidable': 'open',
};

/**
 * The page of a report, a function of what lies in the folders alone.
 *
 * @param folders What it calls the folder of each part.
 */
export function reportPage(parts: readonly ReportedPart[], folders: readonly string[]): string {
  const claims = parts.flatMap((part) => part.claims);
  const title = parts.map(titleOf).join('; ');
  const block: ReportBlock = {
    brink: VERSIONS.brink,
    parts: parts.map((part, i) => ({
      folder: folders[i]!,
      figure: part.figure as unknown as JsonObject | null,
      claims: part.claims as unknown as JsonObject[],
      tables: [
        ...(part.claimsSha256 === null
          ? []
          : [{ path: 'claims.parquet', sha256: part.claimsSha256, rows: part.claims.length }]),
        ...part.runs.flatMap((run) =>
          run.tables.map(({ path, sha256, rows }) => ({ path, sha256, rows: rows.length })),
        ),
      ],
    })),
  };
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
<h1>${math(title)}</h1>
<p class="verdicts">${countVerdicts(claims)}</p>
${parts.map((part, i) => partSection(part, { folder: folders[i]!, index: i, isAlone: parts.length === 1 }))}
</main>
<script type="application/json" id="brink-report">${new Markup(JSON.stringify(block).replaceAll('<', '\\u003c'))}</script>
</body>
</html>
`.text;
}

/** How many claims hold, in a line. */
export function countVerdicts(claims: readonly Pick<ClaimsRow, 'verdict'>[]): string {
  if (claims.length === 0) return 'No claim was fixed before the run: nothing is judged here.';
  const count = (verdict: string) => claims.filter((claim) => claim.verdict === verdict).length;
  const holds = count('holds');
  const fails = count('does not hold');
  return [
    `${holds} ${holds === 1 ? 'holds' : 'hold'}`,
    `${fails} ${fails === 1 ? 'does' : 'do'} not hold`,
    `${count('not decidable')} not decidable`,
  ].join(', ');
}

function titleOf({ figure, directory }: ReportedPart): string {
  return figure === null ? `Run ${directory.split('/').at(-1)}` : `Figure ${figure.figure}: ${figure.title}`;
}

/** Where a part stands in the page. */
interface Place {
  readonly folder: string;
  readonly index: number;
  /** Whether there is no other: then the page's title is its own. */
  readonly isAlone: boolean;
}

function partSection(part: ReportedPart, { folder, index, isAlone }: Place): Markup {
  const { figure, claims, runs } = part;
  const level = isAlone ? 2 : 3;
  return html`<section>
${isAlone ? null : heading(2, math(titleOf(part)))}
${figure && html`<p>${math(figure.about)}</p><p>Source: ${figure.source}.</p>`}
${heading(level, 'What this is not')}<ul>${limitsOf(part).map((limit) => html`<li>${math(limit)}</li>\n`)}</ul>
${claims.length > 0 ? claimsSection(claims, level) : null}
${heading(level, 'Pictures')}${part.pictures.map(
  ({ caption, svg }, k) => html`<figure>${new Markup(asOneImage(withOwnIds(svg, `p${index}-${k}-`)))}
<figcaption>${math(caption)}</figcaption></figure>\n`,
)}
${figure && figure.settings.length > 0 ? settingsTable(figure.settings) : null}
${heading(level, 'Runs')}${table(
  'Every run: how it ended',
  ['run', 'state', 'steps', 'seconds', 'branches', 'why'],
  runs.map((run) => [
    run.folder || '.',
    run.state,
    run.steps,
    number(run.seconds, 3),
    Object.entries(run.branches)
      .map(([name, { rows, error }]) => `${name} ${rows} rows${error === null ? '' : ` (${error})`}`)
      .join(', '),
    [run.error, run.goesOn ? 'cut off: the next goes on with it' : null].filter((why) => why !== null).join(' '),
  ]),
)}
${heading(level, 'Numerical health')}${healthTable(runs)}
${heading(level, 'Provenance')}${provenance(part, folder)}
</section>
`;
}

/** What the reader must not take it for. */
function limitsOf({ figure, claims, runs }: ReportedPart): string[] {
  const limits: string[] = [];
  if (figure === null) return ['No rule was fixed before this run. It shows what was measured, and judges nothing.'];
  if (figure.scale !== 'paper') {
    const differs = figure.settings
      .filter(({ paper, here }) => paper !== null && paper !== here)
      .map(({ name }) => name);
    limits.push(
      `These are not the paper's settings: the scale is '${figure.scale}'${differs.length > 0 ? `; other than in the paper: ${differs.join(', ')}` : ''}.`,
    );
  }
  limits.push(
    figure.seeds === 1
      ? 'One seed was run. Every interval speaks of this run; training from another seed may come out otherwise.'
      : `${figure.seeds} seeds were run. Intervals are Student's between them, and of a claim with one value in all of them the widest of their own.`,
  );
  const open = figure.settings.filter(({ paper }) => paper === null).map(({ name }) => name);
  if (open.length > 0) limits.push(`The paper does not state: ${open.join(', ')}. They were chosen here.`);
  const whole = runs.filter(({ goesOn }) => !goesOn);
  const ends = whole.filter(({ state }) => state !== 'finished').length;
  if (ends > 0) limits.push(`${ends} of ${whole.length} runs did not finish as planned; the list of runs says why.`);
  const cuts = runs.length - whole.length;
  if (cuts > 0) {
    limits.push(
      `Runs were cut off ${cuts === 1 ? 'once' : `${cuts} times`} and went on from the last recorded step: training to the bit, while what a probe follows from step to step (eigenvectors, running sums) began afresh there.`,
    );
  }
  const others = runs.filter(({ metadata }) => definitionOf(metadata) !== figure.definition).length;
  if (others > 0) {
    limits.push(
      `${others} of ${runs.length} runs were made by another definition than the one named below, which drew picture and claims anew from their tables: settings, preset and what the claims say of the runs need not be theirs.`,
    );
  }
  if (claims.length === 0) limits.push('The figure makes no claim at this scale.');
  return limits;
}

/** The definition that a run was made by. */
const definitionOf = (metadata: JsonObject): unknown =>
  (metadata as { readonly user?: { readonly figure?: { readonly definition?: unknown } } }).user?.figure?.definition;

function claimsSection(claims: readonly ClaimsRow[], level: number): Markup {
  return html`${heading(level, 'Claims')}${table(
    'At a glance',
    ['verdict', 'claim', 'value', '95 % interval', 'holds'],
    claims.map((claim) => [
      claim.verdict,
      html`<a href="#claim-${claim.claim}">${math(claim.says)}</a>`,
      number(claim.value),
      claim.value === null ? '–' : intervalText(claim),
      regionText(claim),
    ]),
  )}${claims.map((claim) => claimSection(claim, level + 1))}${heading(level, 'The rule')}${ruleText(claims)}`;
}

function claimSection(claim: ClaimsRow, level: number): Markup {
  const { value, low, high } = claim;
  const shown =
    value === null
      ? html`none`
      : html`<strong>${number(value)}</strong>, 95 % interval ${
          Number.isFinite(low! + high!) ? html`${number(low)} to ${number(high)}` : 'none'
        } (${claim.method})`;
  return html`<section class="claim ${CLASS[claim.verdict] ?? ''}" id="claim-${claim.claim}">
${heading(level, html`${claim.verdict}: ${math(claim.says)}`)}<dl>
<dt>Where</dt><dd>${math(claim.where)} · <code>${claim.claim}</code></dd>
<dt>Measured</dt><dd>${claim.how}</dd>
<dt>Holds</dt><dd>${regionText(claim)}: ${math(claim.region_why)}</dd>
<dt>Value</dt><dd>${shown}</dd>
<dt>Rests on</dt><dd>${claim.seeds} ${claim.seeds === 1 ? 'seed' : 'seeds'}, ${claim.size} numbers${
    claim.effective_size === null ? null : html`, worth ${number(claim.effective_size, 3)} independent ones`
  }</dd>
<dt>Why</dt><dd>${claim.reason}</dd>
</dl>
</section>
`;
}

/** The 95 % interval of a claim that was measured, in short. */
export function intervalText({ low, high }: Pick<ClaimsRow, 'low' | 'high'>): string {
  return Number.isFinite(low! + high!) ? `${shortOf(low!, 4)} to ${shortOf(high!, 4)}` : 'no interval';
}

/** The region in which a claim holds, in words. */
export function regionText({ region_low, region_high }: Pick<ClaimsRow, 'region_low' | 'region_high'>): string {
  if (region_low === null) return region_high === null ? 'at any value' : `up to ${region_high}`;
  return region_high === null ? `from ${region_low}` : `from ${region_low} to ${region_high}`;
}

const ruleText = (
  claims: readonly ClaimsRow[],
) => html`<p>It was fixed before the runs. A claim <em>holds</em> where the whole 95 % interval lies in its region, it <em>does not
hold</em> where the whole interval lies outside, and where the interval reaches across a bound, or nothing could be
measured, it is <em>not decidable</em>. Intervals: ${[...new Set(claims.map(({ method }) => method))].filter(Boolean).join('; ')}.</p>
`;

const settingsTable = (settings: readonly Setting[]) =>
  table(
    'Settings',
    ['setting', 'the paper states', 'used here', 'why'],
    settings.map(({ name, paper, here, why }) => [name, paper ?? '–', here, why].map(math)),
  );

function healthTable(runs: readonly ReportedRun[]): Markup {
  const lines = runs.flatMap((run) =>
    run.tables.flatMap(({ path, table: declared, rows }) =>
      healthOf(declared, rows).map(({ what, median, worst }) => [path, what, number(median, 3), number(worst, 3)]),
    ),
  );
  return html`<p>Arithmetic on the device is float32 with TF32 off; sums and statistics are float64. Neither a check of the
derivatives (<code>brink verify</code>) nor a replay is part of this report.</p>
${lines.length > 0 ? table('Errors and residuals', ['table', 'what', 'median', 'worst'], lines) : null}
`;
}

function provenance({ figure, claims, claimsSha256, runs }: ReportedPart, folder: string): Markup {
  const tables = runs.flatMap((run) =>
    run.tables.map(({ path, sha256, rows }) => [path, rows.length, sha256] as const),
  );
  if (claimsSha256 !== null) tables.unshift(['claims.parquet', claims.length, claimsSha256]);
  const command =
    figure &&
    `npx brink figure ${shellWord(figure.file)} --scale ${figure.scale} --seeds ${figure.seeds}` +
      (figure.data == null ? '' : ` --data ${shellWord(figure.data)}`);
  return html`<dl>
${command && html`<dt>Command</dt><dd><code>${command}</code></dd>`}
${figure && html`<dt>Definition (SHA-256)</dt><dd><code>${figure.definition}</code></dd>`}
${figure && Object.entries(figure.madeBy).map(([name, value]) => html`<dt>${name}</dt><dd>${plain(value)}</dd>`)}
<dt>Files</dt><dd><code>${folder}</code></dd>
</dl>
${table(
  'Tables',
  ['file', 'rows', 'SHA-256'],
  tables.map(([path, rows, sum]) => [html`<code>${path}</code>`, rows, html`<code>${sum}</code>`]),
)}
${runs.map(
  ({ folder, metadata }) => html`<details><summary>What ${folder || 'the run'} says of itself</summary>
<pre><code>${JSON.stringify(metadata, null, 1)}</code></pre></details>\n`,
)}
`;
}

const plain = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value));

/** Identifiers that no other picture of the page has. */
function withOwnIds(svg: string, prefix: string): string {
  return svg
    .replace(/\bid="([^"]+)"/g, `id="${prefix}$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${prefix}$1)`)
    .replace(/((?:xlink:)?href|aria-labelledby|aria-describedby)="#?([^"]+)"/g, (all, name, target) =>
      all.includes('"#') ? `${name}="#${prefix}${target}"` : `${name}="${prefix}${target}"`,
    );
}

/** A picture without the roles that Vega gives its marks: it is one image, and has its alternative text as a whole. */
const asOneImage = (svg: string) => svg.replace(/ role="graphics-\w+"| aria-roledescription="[^"]*"/g, '');
