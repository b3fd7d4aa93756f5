import packageJson from '../../package.json' with { type: 'json' };

/** What everything that is written says of who wrote it. */
export const VERSIONS = {
  brink: packageJson.version,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
} as const;
