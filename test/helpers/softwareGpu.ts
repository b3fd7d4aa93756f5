import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * SwiftShader, as Debian's package chromium-common brings it: it compiles a program in no time, Mesa's takes seconds.
 */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/**
 * The environment in which the engine webgpu computes without a GPU, by the driver that the user named, if any; none
 * where BRINK_SOFTWARE_GPU=off asks for the GPU's own.
 */
export const softwareGpu: Readonly<Record<string, string>> =
  process.env.BRINK_SOFTWARE_GPU === 'off'
    ? {}
    : {
        BRINK_SOFTWARE_GPU: 'on',
        ...(!process.env.VK_DRIVER_FILES && existsSync(SWIFTSHADER) && { VK_DRIVER_FILES: SWIFTSHADER }),
      };

const OPEN = "await (await import('./src/engine/openEngine.ts')).openEngine('webgpu')";

/** Why there is no GPU to test with, not even one that the CPU plays; null where there is. Asked in another process. */
export function gpuMissing(): string | null {
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', OPEN], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, ...softwareGpu },
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status === 0) return null;
  return /the engine webgpu can't load: (.*?)\. docs/.exec(stderr)?.[1] ?? `Dawn ended with ${status}`;
}
