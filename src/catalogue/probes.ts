import type { OperatorFunction } from 'rxjs';
import type { Options } from '../core/Option.ts';
import type { Step } from '../core/Step.ts';
import type { Table } from '../core/Table.ts';
import * as all from '../probes/index.ts';

/** A probe as those know it who find it by its name: its options are checked when it is called. */
export interface CataloguedProbe {
  (options: Readonly<Record<string, unknown>>): OperatorFunction<Step, object>;
  readonly table: Table;
  readonly declaration: {
    readonly name: string;
    readonly asks: string;
    readonly options: Options;
    readonly cost: string;
  };
}

/** Every probe by its name: those of probes/index.ts. */
export const probes: Readonly<Record<string, CataloguedProbe>> = Object.fromEntries(
  Object.values(all).map((probe) => [probe.declaration.name, probe as unknown as CataloguedProbe]),
);
