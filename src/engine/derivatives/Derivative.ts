import type { Tensor } from '@tensorflow/tfjs';
import type { Attributes } from '../kernels/Kernel.ts';

/** How a kernel y = f(x, …) is differentiated. */
export interface Derivative {
  /** The inputs that it needs, by name or all, and whether it needs y: they stay on the tape until then. */
  readonly inputs?: readonly string[] | 'all';
  readonly output?: boolean;
  /**
   * ∂⟨y, dy⟩/∂x for each input x by its name, in operations that have derivatives themselves.
   *
   * @param needed The inputs named, in this order, then y.
   */
  gradient(dy: Tensor, needed: readonly Tensor[], attributes: Attributes): Record<string, () => Tensor>;
}

/** Derivatives by the names of the kernels. */
export type DerivativeTable = Readonly<Record<string, Derivative>>;
