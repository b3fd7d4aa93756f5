import type { JsonObject } from '../core/Json.ts';

/**
 * What a table says beside its objective where another engine measured than the source's, as in a replay elsewhere:
 * both engines. Nothing where they are the same, or one is not known.
 */
export function otherEngine(source: unknown, objective: unknown): JsonObject {
  const [recorded, measured] = [engineOf(Object(source).objective), engineOf(objective)];
  if (!recorded || !measured || JSON.stringify(recorded) === JSON.stringify(measured)) return {};
  return { otherEngine: { recorded, measured } };
}

const engineOf = (objective: unknown) => (Object(objective) as { engine?: JsonObject }).engine;
