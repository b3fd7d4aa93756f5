import { execFile } from 'node:child_process';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

/** What the child process finds out about one engine. */
const measured = z.object({
  device: z.string(),
  version: z.string(),
  /** Whether passes run as one graph. */
  graphs: z.boolean(),
  gigaflops: z.object({ matMul: z.number(), conv2d: z.number() }),
});

/** One engine on this machine. */
export type EngineDescription =
  | ({ readonly name: string; readonly usable: true } & z.infer<typeof measured>)
  | { readonly name: string; readonly usable: false; readonly reason: string };

/**
 * Which engines this machine can use, in the order in which they are chosen, and how fast each is.
 *
 * Each is opened in a process of its own: one that fails to load, or brings its process down, hurts no other.
 */
export async function describeEngines(): Promise<EngineDescription[]> {
  const descriptions: EngineDescription[] = [];
  // One after the other, or they would slow each other down.
  for (const name of ['tensorflow', 'wasm']) descriptions.push(await describe(name));
  return descriptions;
}

async function describe(name: string): Promise<EngineDescription> {
  const program = join(import.meta.dirname, `measureEngine${extname(import.meta.filename)}`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program], {
      env: { ...process.env, BRINK_ENGINE: name },
      timeout: 120_000,
    });
    return { name, usable: true, ...measured.parse(JSON.parse(stdout)) };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { name, usable: false, reason: stderr?.trim() || message };
  }
}
