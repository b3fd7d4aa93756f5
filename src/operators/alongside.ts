import { map, merge, Observable, type OperatorFunction } from 'rxjs';
import type { Step } from '../core/Step.ts';
import { connectBranches } from './connectBranches.ts';
import { requireBranches } from './requireBranches.ts';

type Rows = { readonly step: number };
type Probes = Readonly<Record<string, (steps: Observable<Step>) => Observable<Rows>>>;
type RowOf<P> = P extends (...steps: never[]) => Observable<infer R> ? R : never;

/** What several probes have measured at one step: the rows of each, by its name here. */
export type Joined<P extends Probes> = {
  readonly step: number;
  readonly rows: { readonly [K in keyof P]: readonly RowOf<P[K]>[] };
};

/**
 * Joins the rows of several probes by their step: one value for each step at which all of them have measured.
 *
 *     s.pipe(alongside({ eigenvalues: topEigenvalues(), sharpness: interactionAwareSharpness() }))
 *
 * RxJS's own joins pair what came last (`withLatestFrom`: a step with the one before it) or what came equally often
 * (`zip`: wrong as soon as one probe is throttled). Here a row belongs to the step that it names, and a probe with
 * several rows a step (one for each batch size) is there with all of them. A branch may have a throttle in front of its
 * probe, `(s) => s.pipe(throttleSteps(5), topEigenvalues())`: steps at which one did not measure are left out. Where
 * the steps fail, that comes behind the rows of those before.
 *
 * Cost: none beyond the probes; rows of steps that are not whole are held until a later step is.
 *
 * @param probes By name: each emits the rows of one step in one go, as probes do.
 * @throws BrinkError at the call where one is no function.
 */
export function alongside<const P extends Probes>(probes: P): OperatorFunction<Step, Joined<P>> {
  requireBranches('alongside', probes);
  const names = Object.keys(probes);
  const join = (steps: Observable<Step>) => {
    const tagged = Object.entries(probes).map(([name, of]) => of(steps).pipe(map((row) => ({ name, row }))));
    return new Observable<Joined<P>>((subscriber) => {
      const held = new Map<number, Record<string, Rows[]>>();
      const passOn = (step: number) => {
        const rows = held.get(step);
        if (rows === undefined || Object.keys(rows).length < names.length) return;
        // A step before it that is not whole never will be: steps rise.
        for (const before of held.keys()) if (before <= step) held.delete(before);
        subscriber.next({ step, rows } as unknown as Joined<P>);
      };
      return merge(...tagged).subscribe({
        next: ({ name, row }) => {
          const rows = held.get(row.step) ?? {};
          const own = rows[name] ?? [];
          own.push(row);
          rows[name] = own;
          held.set(row.step, rows);
          // When all rows that come in this go are there.
          if (own.length === 1) queueMicrotask(() => passOn(row.step));
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          for (const step of [...held.keys()].sort((a, b) => a - b)) passOn(step);
          subscriber.complete();
        },
      });
    });
  };
  return (steps) => connectBranches(steps, join);
}
