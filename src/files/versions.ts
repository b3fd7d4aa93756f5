import { cpus } from 'node:os';
import packageJson from '../../package.json' with { type: 'json' };

/** What everything that is written says of who wrote it. */
export const VERSIONS = {
  brink: packageJson.version,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
} as const;

/** What the bits of a number depend on, beside the engine. */
export const MACHINE = { ...VERSIONS, processor: cpus()[0]?.model ?? 'unknown' } as const;
