import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'vitest';

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'srun', 'setpriv'];
const NODES = ['n1', 'n2', 'n3'];

/** Skips a test where Slurm is missing, and says so by name; with BRINK_REQUIRE_SLURM=1 that is a failure. */
export function slurmOrSkip({ skip }: Pick<TestContext, 'skip'>): void {
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const why = `Slurm is not installed: no ${missing.join(', ')} (apt-get install --no-install-recommends slurm-wlm munge)`;
  if (process.env.BRINK_REQUIRE_SLURM === '1') throw new Error(why);
  skip(why);
}

/** Those that a cluster needs and this machine lacks. */
export function missingPrograms(): string[] {
  return PROGRAMS.filter(
    (program) => spawnSync('sh', ['-c', `command -v ${program}`], { env: { ...process.env, PATH } }).status !== 0,
  );
}

/**
 * A cluster of Slurm on this machine alone: a controller and three nodes with two processors each, children of this
 * process, which go with it; what is submitted to the partition `urgent` takes the place of the rest. Its files are in
 * one folder.
 */
export class SlurmCluster {
  readonly env: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #children = new Map<string, ChildProcess>();

  private constructor(folder: string) {
    this.#folder = folder;
    this.env = { ...process.env, PATH, SLURM_CONF: join(folder, 'slurm.conf') };
  }

  static async start(folder: string): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(folder);
    for (const name of ['state', 'log', 'run', ...NODES]) mkdirSync(join(folder, name), { recursive: true });
    // munged refuses a folder for its log that others can write to.
    chmodSync(join(folder, 'log'), 0o700);
    writeFileSync(join(folder, 'munge.key'), randomBytes(128), { mode: 0o400 });
    writeFileSync(cluster.env.SLURM_CONF!, configuration(folder, await freePorts(NODES.length + 1)));
    const munge = (name: string) => `${folder}/run/munge.${name}`;
    cluster.#begin('munged', 'munged', [
      ...['--foreground', '--force', `--key-file=${folder}/munge.key`, `--socket=${munge('sock')}`],
      ...[`--pid-file=${munge('pid')}`, `--seed-file=${munge('seed')}`, `--log-file=${folder}/log/munged.log`],
    ]);
    await cluster.until('munged answers', () => spawnSync('munge', ['-n', '-S', munge('sock')]).status === 0);
    cluster.#begin('slurmctld', 'slurmctld', ['-D', '-i']);
    for (const node of NODES) cluster.startNode(node);
    await cluster.until('all nodes are idle', () => NODES.every((node) => cluster.nodeState(node) === 'idle'));
    return cluster;
  }

  startNode(node: string): void {
    this.#begin(node, 'slurmd', ['-D', '-N', node]);
  }

  /** As a node that loses its power, but for the tasks on it, which live on. */
  async killNode(node: string): Promise<void> {
    await this.#end(node, 'SIGKILL');
    this.run('scontrol', 'update', `NodeName=${node}`, 'State=DOWN', 'Reason=test');
  }

  nodeState(node: string): string {
    return this.run('sinfo', '-h', '-N', '-p', 'main', '-n', node, '-o', '%T');
  }

  /** Runs one of Slurm's commands; what it says. */
  run(command: string, ...args: readonly string[]): string {
    return execFileSync(command, args, { env: this.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }

  /** What squeue says of a task, also once it has ended. */
  task(job: string, task: number, format: string): string {
    return this.run('squeue', '-h', '-r', '-t', 'all', '-j', `${job}_${task}`, '-o', format);
  }

  /** Starts a task that was requeued at once, where Slurm waits two minutes. */
  async hurry(job: string, task: number): Promise<void> {
    await this.until(`task ${job}_${task} waits`, () => this.task(job, task, '%T %r') === 'PENDING BeginTime');
    // A node takes no credential of the second in which it revoked the one before.
    await sleep(2000);
    this.run('scontrol', 'update', `JobId=${job}_${task}`, 'StartTime=now');
  }

  get isIdle(): boolean {
    return this.run('squeue', '-h') === '';
  }

  async until(what: string, isSo: () => boolean, seconds = 100): Promise<void> {
    for (const end = Date.now() + seconds * 1000; ; await sleep(50)) {
      try {
        if (isSo()) return;
      } catch {
        // What does not answer yet.
      }
      if (Date.now() < end) continue;
      const log = readFileSync(join(this.#folder, 'log/slurmctld.log'), 'utf8').split('\n').slice(-15).join('\n');
      throw new Error(
        `not within ${seconds} s: ${what}\n${spawnSync('squeue', ['-a', '-r'], { env: this.env })?.stdout}\n${log}`,
      );
    }
  }

  async stop(): Promise<void> {
    try {
      this.run('scancel', '-u', userInfo().username);
      await this.until('the queue is empty', () => this.isIdle);
    } finally {
      for (const name of [...NODES, 'slurmctld', 'munged']) await this.#end(name, 'SIGTERM');
    }
  }

  #begin(name: string, program: string, args: readonly string[]): void {
    const log = openSync(join(this.#folder, `log/${name}.out`), 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', program, ...args], {
      env: this.env,
      stdio: ['ignore', log, log],
    });
    this.#children.set(name, child);
    child.once('exit', () => this.#children.delete(name));
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#children.get(name);
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
  }
}

/** Slurm without control groups, accounting or a database, on the loopback interface alone. */
function configuration(folder: string, [controller, ...ports]: readonly number[]): string {
  const host = hostname().split('.')[0];
  const user = userInfo().username;
  const nodes = NODES.map(
    (node, k) =>
      `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[k]} CPUs=2 RealMemory=4000 State=UNKNOWN`,
  );
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=${user}
SlurmdUser=${user}
AuthType=auth/munge
AuthInfo=socket=${folder}/run/munge.sock
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/%n
SlurmctldPidFile=${folder}/run/slurmctld.pid
SlurmdPidFile=${folder}/run/slurmd-%n.pid
SlurmctldLogFile=${folder}/log/slurmctld.log
SlurmdLogFile=${folder}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
SlurmdTimeout=6
MinJobAge=3600
MaxArraySize=4
${nodes.join('\n')}
PartitionName=main Nodes=${NODES.join(',')} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=10
PartitionName=urgent Nodes=${NODES.join(',')} MaxTime=INFINITE State=UP PriorityTier=9 PreemptMode=OFF
`;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
