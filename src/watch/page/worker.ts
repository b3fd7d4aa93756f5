import { Reader, Refused, type Request } from './reader.ts';

/** The reader of tables in a thread of its own: decoding does not hold up the page. */
const reader = new Reader();
const scope = self as unknown as {
  onmessage: (event: MessageEvent<{ id: number; request: Request }>) => void;
  postMessage(message: unknown, transfer: Transferable[]): void;
};

scope.onmessage = async ({ data: { id, request } }) => {
  try {
    const rows = await reader.answer(request);
    const transfer = Object.values(rows.columns).flatMap((column) =>
      column.kind === 'numbers' ? [column.values.buffer, ...(column.nulls ? [column.nulls.buffer] : [])] : [],
    );
    scope.postMessage({ id, rows }, transfer);
  } catch (error) {
    const status = error instanceof Refused ? error.status : null;
    scope.postMessage({ id, error: (error as Error).message, status }, []);
  }
};
