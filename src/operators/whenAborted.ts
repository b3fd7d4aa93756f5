import { fromEvent, NEVER, type Observable, of } from 'rxjs';

/** Emits once a signal is aborted, at once where it is already; never without a signal. */
export function whenAborted(signal: AbortSignal | undefined): Observable<unknown> {
  if (!signal) return NEVER;
  return signal.aborted ? of(null) : fromEvent(signal, 'abort');
}
