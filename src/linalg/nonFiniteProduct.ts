import { BrinkError } from '../core/errors.ts';

/** What to say of a product that is not finite: no eigenvalue can come of it. */
export function nonFiniteProduct(who: string): BrinkError {
  return new BrinkError(
    who,
    'a product with the Hessian is not finite. The weights, the data or the loss hold a NaN or an infinity; look at the loss of the steps before.',
  );
}
