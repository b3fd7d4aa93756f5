import type { TensorInfo } from '@tensorflow/tfjs';

/** The part of TensorFlow's native backend that runs any of its operations. */
interface NativeBackend {
  binding: Record<'TF_ATTR_INT' | 'TF_ATTR_STRING' | 'TF_ATTR_TYPE' | 'TF_FLOAT' | 'TF_INT32', number>;
  executeSingleOutput(name: string, attributes: object[], inputs: readonly TensorInfo[]): TensorInfo;
}

/**
 * Runs an operation of TensorFlow by its name there; `types` are its type attributes, lists of numbers are integers.
 */
export function nativeOperation(
  backend: object,
  name: string,
  types: Record<string, 'float32' | 'int32'>,
  attributes: Record<string, number[] | string>,
  inputs: readonly TensorInfo[],
): TensorInfo {
  const native = backend as NativeBackend;
  const { TF_ATTR_INT, TF_ATTR_STRING, TF_ATTR_TYPE, TF_FLOAT, TF_INT32 } = native.binding;
  return native.executeSingleOutput(
    name,
    [
      ...Object.entries(types).map(([key, type]) => ({
        name: key,
        type: TF_ATTR_TYPE,
        value: type === 'float32' ? TF_FLOAT : TF_INT32,
      })),
      ...Object.entries(attributes).map(([key, value]) => ({
        name: key,
        type: typeof value === 'string' ? TF_ATTR_STRING : TF_ATTR_INT,
        value,
      })),
    ],
    inputs,
  );
}
