/** A number as a subscript: ₁₂. */
export const subscript = (k: number): string => [...`${k}`].map((c) => '₀₁₂₃₄₅₆₇₈₉'[Number(c)]).join('');
