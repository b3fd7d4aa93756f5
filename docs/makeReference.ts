// Writes docs/reference.md: all tables, from their declarations. Usage: node docs/makeReference.ts
import { writeFileSync } from 'node:fs';
import * as brink from '../src/index.ts';

/** The page, from what the package exports. */
export function reference(): string {
  const tables = Object.entries(brink).flatMap(([probe, value]) =>
    typeof value === 'function' && 'table' in value ? [{ probe, table: value.table as brink.Table }] : [],
  );
  return [
    '# Tables',
    '',
    'Made by `node docs/makeReference.ts` from the declarations of the probes. A cell may be null only where its type says so.',
    ...tables.flatMap(({ probe, table }) => [
      '',
      `## ${table.name}`,
      '',
      `\`${probe}\`. ${table.description} One row for each ${table.key.map((name) => `\`${name}\``).join(' and ')}.`,
      '',
      '| column | type | unit | symbol | |',
      '| :-- | :-- | :-- | :-- | :-- |',
      ...Object.entries(table.columns).map(([name, { type, list, nullable, unit, symbol, description }]) => {
        const of = `${list ? 'list of ' : ''}${type}${nullable ? ' or null' : ''}`;
        return `| \`${name}\` | ${of} | ${unit === '1' ? '' : unit} | ${symbol.replaceAll('|', '\\|')} | ${description.replaceAll('|', '\\|')} |`;
      }),
    ]),
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(new URL('./reference.md', import.meta.url), reference());
