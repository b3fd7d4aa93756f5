import type { KernelTable } from '../Kernel.ts';

/** What TensorFlow.js's WebGPU backend lacks, has wrong or does slowly. */
export const webgpuKernels = {} as const satisfies KernelTable;
