import { isLoaded } from '../kernels/register.ts';
import { installWasmMatrixProduct } from '../kernels/wasm/installWasmMatrixProduct.ts';
import { installWasmTraps } from '../kernels/wasm/wasmTraps.ts';
import { installArithmetic } from './arithmetic.ts';
import { installBatchNorm } from './batchNorm.ts';
import { installBiasAdd } from './biasAdd.ts';
import { installConvolution } from './convolution.ts';
import { installElementwise } from './elementwise.ts';
import { installFused } from './fused.ts';
import { installGather } from './gather.ts';
import { installPooling } from './pooling.ts';
import { installReductions } from './reductions.ts';
import { installRelu } from './relu.ts';
import { installTanh } from './tanh.ts';

let installed = false;

/**
 * Makes TensorFlow.js right to second order on every backend that is registered: its second derivatives are missing for
 * convolution and pooling, wrong without an error for exp, sigmoid, tanh and softmax, and written by hand for fused operations.
 */
export function installSecondOrder(): void {
  if (installed) return;
  installed = true;
  installWasmTraps();
  installArithmetic();
  if (isLoaded('wasm')) installWasmMatrixProduct();
  installElementwise();
  installTanh();
  installConvolution();
  installPooling();
  installRelu();
  installReductions();
  installBiasAdd();
  installBatchNorm();
  installGather();
  installFused();
}
