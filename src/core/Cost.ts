/** Work done so far, in passes over all n examples. */
export interface Cost {
  forwards: number;
  gradients: number;
  products: number;
}
