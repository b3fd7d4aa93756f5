import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process of its own that answers each line with a line, both JSON. */
export interface Contender {
  readonly label: string;
  /** Its engine, with version and device. */
  readonly version: string;
  // biome-ignore lint/suspicious/noExplicitAny: what it answers is between the program and its contenders.
  ask(request: unknown): Promise<any>;
  end(): void;
}

/** Starts `command`, and waits for its first line, which tells its version. */
export async function startContender(
  label: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Contender> {
  const [program, ...args] = command;
  const { stdin, stdout } = spawn(program!, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env },
  });
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${label} ended before it answered; its message is above`);
    return JSON.parse(value);
  };
  const { version } = await answer();
  return {
    label,
    version,
    ask: (request) => {
      stdin.write(`${JSON.stringify(request)}\n`);
      return answer();
    },
    end: () => {
      stdin.end();
    },
  };
}
