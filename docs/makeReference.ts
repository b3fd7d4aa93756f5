// Writes docs/reference.md and README's table of probes from the declarations. Usage: npx node docs/makeReference.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CataloguedProbe, probes } from '../src/catalogue/probes.ts';
import type { Column } from '../src/core/Table.ts';

const PAGE = join(import.meta.dirname, 'reference.md');
const README = join(import.meta.dirname, '..', 'README.md');

/** Between these lines README's table stands. */
const BEGIN = '<!-- The probes, from their declarations: npx node docs/makeReference.ts -->';
const END = '<!-- End of the probes. -->';

const cell = (text: string) => text.replaceAll('|', '\\|');

const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;

function section({ table, declaration: { name, asks, options, cost } }: CataloguedProbe): string[] {
  const typeOf = ({ type, list, nullable }: Column) => `${list ? 'list of ' : ''}${type}${nullable ? ' or null' : ''}`;
  return [
    '',
    `## ${name}`,
    '',
    asks,
    '',
    `Cost: ${cost}`,
    '',
    '| option | range | default | |',
    '| :-- | :-- | :-- | :-- |',
    ...Object.entries(options).map(([option, { range, defaultText, needed, description }]) =>
      row([`\`${option}\``, range, needed ? 'must be given' : defaultText, description]),
    ),
    '',
    `Table \`${table.name}\`: ${table.description} One row for each ${table.key.map((k) => `\`${k}\``).join(' and ')}.`,
    '',
    '| column | type | unit | symbol | |',
    '| :-- | :-- | :-- | :-- | :-- |',
    ...Object.entries(table.columns).map(([column, declared]) =>
      row([
        `\`${column}\``,
        typeOf(declared),
        declared.unit === '1' ? '' : declared.unit,
        declared.symbol,
        declared.description,
      ]),
    ),
  ];
}

/** The page. */
export function reference(): string {
  return [
    '# Probes: questions, options, costs, tables',
    '',
    'Made from the declarations of the probes. Every probe takes `on: objective` beside its options, to measure another objective',
    'than that of its steps. A cell may be null only where its type says so.',
    ...Object.values(probes).flatMap(section),
    '',
  ].join('\n');
}

/** README with the table of probes as they are declared. */
export function readme(text = readFileSync(README, 'utf8')): string {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`README.md has no place for the probes: '${BEGIN}' … '${END}'.`);
  const rows = Object.values(probes).map(({ declaration: { name, asks } }) => row([`\`${name}\``, asks]));
  return [`${before}${BEGIN}`, '| probe | asks |', '|---|---|', ...rows, `${END}${after}`].join('\n');
}

if (import.meta.main) {
  writeFileSync(PAGE, reference());
  writeFileSync(README, readme());
}
