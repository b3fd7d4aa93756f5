import { BrinkError } from '../../core/errors.ts';

/** An equation of einsum: the axes of each input and of the output, a letter each. */
export interface EinsumEquation {
  readonly inputs: readonly string[];
  readonly output: string;
}

/**
 * Reads `bi,io->bo`.
 *
 * @param shapes Of the inputs.
 * @throws BrinkError where it has another form, a letter stands twice in one place (a trace, a diagonal), or shapes do
 *   not fit.
 */
export function einsumEquation(equation: string, shapes: readonly (readonly number[])[]): EinsumEquation {
  const refuse = (why: string): never => {
    throw new BrinkError('einsum', `the equation is '${equation}'. ${why}`);
  };
  const [left = '', output = '', ...more] = equation.replaceAll(/\s/g, '').split('->');
  if (!equation.includes('->') || more.length > 0) refuse("Write the output's axes behind '->', as in 'bi,io->bo'.");
  const inputs = left.split(',');
  for (const term of [...inputs, output]) {
    if (!/^[A-Za-z]*$/.test(term)) refuse("Name every axis by a letter; '...' has no derivative here.");
    if (new Set(term).size < term.length) {
      refuse(`'${term}' names an axis twice, a trace or a diagonal. Multiply by tf.eye and sum over one axis each.`);
    }
  }
  if (inputs.length !== shapes.length) refuse(`It is for ${inputs.length} tensors, and there are ${shapes.length}.`);
  const lengths = new Map<string, number>();
  inputs.forEach((term, k) => {
    const shape = shapes[k]!;
    if (term.length !== shape.length) refuse(`Tensor ${k} has the shape [${shape}], and '${term}' names other axes.`);
    for (const [axis, label] of [...term].entries()) {
      const known = lengths.get(label) ?? shape[axis]!;
      if (known !== shape[axis])
        refuse(`The axis ${label} has the length ${known} and, in tensor ${k}, ${shape[axis]}.`);
      lengths.set(label, known);
    }
  });
  const missing = [...output].find((label) => !lengths.has(label));
  if (missing) refuse(`No tensor has the axis ${missing} of the output.`);
  return { inputs, output };
}
