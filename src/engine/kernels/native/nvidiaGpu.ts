import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const GPUS = '/proc/driver/nvidia/gpus';

/** What NVIDIA's driver, in a container that does not show the folder above too, or Windows' has in /dev. */
const DEVICES = ['/dev/nvidiactl', '/dev/dxg'];

/** Whether there is a GPU of NVIDIA, asked before TensorFlow is loaded: a process can load one build alone. */
export function hasNvidiaGpu(): boolean {
  return [GPUS, ...DEVICES].some((path) => existsSync(path));
}

/** The model of the first GPU that the driver names. */
export function nvidiaGpuName(): string {
  if (!existsSync(GPUS)) return 'GPU';
  const models = readdirSync(GPUS).map(
    (id) => /^Model:\s*(.+)$/m.exec(readFileSync(join(GPUS, id, 'information'), 'utf8'))?.[1],
  );
  return models[0] ? `GPU ${models[0]}` : 'GPU';
}
