import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const GPUS = '/proc/driver/nvidia/gpus';

/** Whether there is a GPU of NVIDIA, asked before TensorFlow is loaded: a process can load one build alone. */
export function hasNvidiaGpu(): boolean {
  return existsSync(GPUS) || existsSync('/dev/dxg');
}

/** The model of the first GPU that the driver names. */
export function nvidiaGpuName(): string {
  if (!existsSync(GPUS)) return 'GPU';
  const models = readdirSync(GPUS).map(
    (id) => /^Model:\s*(.+)$/m.exec(readFileSync(join(GPUS, id, 'information'), 'utf8'))?.[1],
  );
  return models[0] ? `GPU ${models[0]}` : 'GPU';
}
