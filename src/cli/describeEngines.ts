import { execFile } from 'node:child_process';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { engineOrder } from '../engine/openEngine.ts';

/** What the child process finds out about one engine. */
const measured = z.object({
  device: z.string(),
  version: z.string(),
  /** Whether passes run as one graph. */
  graphs: z.boolean(),
  gigaflops: z.object({ matMul: z.number(), conv2d: z.number() }),
  /** One exact H v of cnn6 on so many examples. */
  product: z.object({ examples: z.number(), milliseconds: z.number() }),
});

/** One engine on this machine. */
export type EngineDescription =
  | ({ readonly name: string; readonly usable: true; readonly chosen?: string } & z.infer<typeof measured>)
  | { readonly name: string; readonly usable: false; readonly reason: string };

/**
 * Which engines this machine can use, in the order in which they are chosen, how fast each is, and which a run takes.
 *
 * Each is opened in a process of its own: one that fails to load, or brings its process down, hurts no other.
 */
export async function describeEngines(): Promise<EngineDescription[]> {
  const descriptions: EngineDescription[] = [];
  // One after the other, or they would slow each other down.
  for (const name of engineOrder()) descriptions.push(await describe(name));
  const named = process.env.BRINK_ENGINE;
  const taken = descriptions.find(
    ({ name, ...rest }) => rest.usable && (named ? name === named : !('device' in rest && isSoftware(rest.device))),
  );
  return descriptions.map((one) =>
    one === taken && one.usable ? { ...one, chosen: named ? `BRINK_ENGINE is ${named}` : whyFirst(one) } : one,
  );
}

const isSoftware = (device: string) => device.startsWith('CPU as a GPU');

function whyFirst({ name, device }: { name: string; device: string }): string {
  if (name === 'wasm') return 'no faster one can be used';
  if (name === 'webgpu') return 'a GPU comes before the CPU';
  return device.startsWith('GPU') ? 'CUDA comes before all others' : 'there is no GPU that can be used';
}

async function describe(name: string): Promise<EngineDescription> {
  const program = join(import.meta.dirname, `measureEngine${extname(import.meta.filename)}`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program], {
      env: { ...process.env, BRINK_ENGINE: name },
      timeout: 240_000,
    });
    return { name, usable: true, ...measured.parse(JSON.parse(stdout)) };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { name, usable: false, reason: stderr?.trim() || message };
  }
}
