import { Command } from 'commander';
import type { z } from 'zod';
import type { CataloguedProbe } from '../catalogue/probes.ts';
import type { Column } from '../core/Table.ts';
import { requireName } from '../runs/requireName.ts';
import { textTable } from './textTable.ts';

type Schema = z.core.JSONSchema.BaseSchema;

/** `brink probes [NAME]`. */
export function probesCommand(): Command {
  return new Command('probes')
    .description('list the probes, or tell of one: its table, its options, its cost')
    .argument('[name]', 'of a probe')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  brink probes\n  brink probes topEigenvalues\n  brink probes --json')
    .action(async (name: string | undefined, { json }: { json?: boolean }) => {
      const [{ z }, { catalogue }] = await Promise.all([import('zod'), import('../catalogue/probes.ts')]);
      if (name !== undefined) requireName('probes', 'probe', name, Object.keys(catalogue));
      const chosen = Object.entries(catalogue).filter(([other]) => name === undefined || other === name);
      if (json) {
        const found = chosen.map(([probe, { table, options, cost }]) => ({
          probe,
          table,
          options: z.toJSONSchema(options),
          cost,
        }));
        console.log(JSON.stringify(name === undefined ? found : found[0], null, 2));
      } else if (name === undefined) {
        console.log(textTable(chosen.map(([probe, { table }]) => [probe, table.description])));
      } else {
        const probe = catalogue[name]!;
        console.log(describe(name, probe, z.toJSONSchema(probe.options)));
      }
    });
}

function describe(name: string, { table, cost }: CataloguedProbe, options: Schema): string {
  const columns = Object.entries(table.columns).map(([column, declared]) => [
    column,
    typeOf(declared),
    declared.unit === '1' ? '' : declared.unit,
    declared.symbol,
    declared.description,
  ]);
  return [
    `${name}: ${table.description}`,
    `Cost: ${cost}`,
    '',
    `Table ${table.name}, a row for each ${table.key.join(' and ')}`,
    textTable([['column', 'type', 'unit', 'symbol', ''], ...columns], '  '),
    '',
    'Options',
    textTable(optionRows(options), '  '),
  ].join('\n');
}

function typeOf({ type, list, nullable }: Column): string {
  return `${list ? `list of ${type}` : type}${nullable ? ' or null' : ''}`;
}

/** An option with its type and whether it has to be given. */
function optionRows({ properties = {}, required = [] }: Schema): string[][] {
  return Object.entries(properties).map(([option, schema]) => [
    option,
    schemaType(schema),
    required.includes(option) ? 'needed' : '',
  ]);
}

function schemaType(schema: z.core.JSONSchema._JSONSchema): string {
  if (typeof schema === 'boolean') return '';
  if (schema.enum) return schema.enum.join(' or ');
  if (schema.type === 'array') return 'numbers, 1,2,…';
  return schema.type === 'boolean' ? 'true or false' : `${schema.type}`;
}
