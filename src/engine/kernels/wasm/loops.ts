import { assemble } from './assembly.ts';
import { type Passes, passFunctions } from './passes.ts';
import { type Products, productFunctions } from './products.ts';

/** All loops that are WebAssembly of our own. */
export type Loops = Products & Passes;

export const loopsModule = (): WebAssembly.Module => assemble({ ...productFunctions(), ...passFunctions() });
