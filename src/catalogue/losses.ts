import type { Loss } from '../engine/Loss.ts';

/** Every loss by its name. A new one is enrolled by one line; none is loaded before it is asked for. */
export const losses: Readonly<Record<string, () => Promise<Loss>>> = {
  crossEntropy: async () => (await import('../losses/crossEntropy.ts')).crossEntropy,
  meanSquaredError: async () => (await import('../losses/meanSquaredError.ts')).meanSquaredError,
};
