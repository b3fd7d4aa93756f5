import { Command } from 'commander';
import { type CataloguedProbe, probes } from '../catalogue/probes.ts';
import { type Options, optionsSchema } from '../core/Option.ts';
import type { Column } from '../core/Table.ts';
import { requireName } from '../runs/requireName.ts';
import { textTable } from './text.ts';

/** `brink probes [NAME]`. */
export function probesCommand(): Command {
  return new Command('probes')
    .argument('[name]', 'of a probe')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  brink probes\n  brink probes topEigenvalues\n  brink probes --json')
    .action((name: string | undefined, { json }: { json?: boolean }) => {
      if (name !== undefined) requireName('probes', 'probe', name, Object.keys(probes));
      const chosen = Object.values(probes).filter(({ declaration }) => name === undefined || declaration.name === name);
      if (json) {
        const found = chosen.map(({ table, declaration: { name, asks, options, cost } }) => ({
          probe: name,
          asks,
          table,
          options: optionsSchema(options),
          cost,
        }));
        console.log(JSON.stringify(name === undefined ? found : found[0], null, 2));
      } else if (name === undefined) {
        console.log(textTable(chosen.map(({ declaration: { name, asks } }) => [name, asks])));
      } else {
        console.log(describe(probes[name]!));
      }
    });
}

function describe({ table, declaration: { name, asks, options, cost } }: CataloguedProbe): string {
  const columns = Object.entries(table.columns).map(([column, declared]) => [
    column,
    typeOf(declared),
    declared.unit === '1' ? '' : declared.unit,
    declared.symbol,
    declared.description,
  ]);
  return [
    `${name}: ${asks}`,
    `Cost: ${cost}`,
    '',
    `Table ${table.name}, a row for each ${table.key.join(' and ')}: ${table.description}`,
    textTable([['column', 'type', 'unit', 'symbol', ''], ...columns], '  '),
    '',
    'Options',
    textTable([['option', 'range', 'default', ''], ...Object.entries(options).map(optionRow)], '  '),
  ].join('\n');
}

function typeOf({ type, list, nullable }: Column): string {
  return `${list ? `list of ${type}` : type}${nullable ? ' or null' : ''}`;
}

function optionRow([option, { range, defaultText, needed, description }]: [string, Options[string]]): string[] {
  return [option, range, needed ? 'must be given' : defaultText, description];
}
