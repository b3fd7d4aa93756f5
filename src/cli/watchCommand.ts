import { Command } from 'commander';
import { numberOf } from './arguments.ts';

interface Flags {
  readonly port?: number;
  readonly host?: string;
  readonly open?: true;
  readonly idle?: number;
  readonly save?: string;
}

/** `brink watch`. */
export function watchCommand(): Command {
  return new Command('watch')
    .argument('<dir>', 'the folder of a run, or of several; or a recording, for the run that made it')
    .option('--port <port>', 'the port to serve at (default: one that is free)', numberOf)
    .option('--host <address>', 'the address to listen on; others than 127.0.0.1 can be reached from elsewhere')
    .option('--open', 'open the page in the browser')
    .option('--idle <minutes>', 'end when nothing runs and nobody has looked for so long', numberOf)
    .option('--save <file>', 'write a page of what is there now into one file, and serve nothing')
    .addHelpText(
      'after',
      `
Examples:
  brink watch output/quickstart
  brink watch output --port 8080
  brink watch output/quickstart --save quickstart.html

The page is read-only: it starts nothing, and training does not notice it. Its address holds a token, which others on
this machine don't know. From another machine: ssh -L 8080:127.0.0.1:8080 HOST, with --port 8080.

Exits with 1 where there is no run or the port can't be had.`,
    )
    .action(async (directory: string, { port, host, open, idle, save }: Flags) => {
      if (save !== undefined) {
        const { savePage } = await import('../watch/savePage.ts');
        const bytes = await savePage(directory, save);
        console.log(`${save}: ${(bytes / 1e6).toFixed(1)} MB`);
        return;
      }
      const { serveWatch } = await import('../watch/serveWatch.ts');
      const { isLoopback } = await import('../watch/admit.ts');
      const server = await serveWatch(directory, {
        ...(port !== undefined && { port }),
        ...(host !== undefined && { host }),
        ...(idle !== undefined && { idle: 60_000 * idle }),
      });
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
      if (host !== undefined && !isLoopback(host)) {
        console.error(
          `watch: ${host} can be reached from other machines, and what they send is not encrypted: whoever sees the ` +
            'address below sees the run. `ssh -L` does without.',
        );
      }
      console.log(`watching ${directory} at ${server.url}`);
      if (open) (await import('../watch/openBrowser.ts')).openBrowser(server.url);
      await server.closed;
    });
}
