import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBinary } from './find-binary.ts';
import { freePort } from './server-process.ts';

const readyWithinMs = 60_000;

/** Why no cluster can be started here; null where one can. */
export function slurmMissing(): string | null {
  if (findBinary('slurmctld') === null || !existsSync('/usr/sbin/munged')) return 'Slurm (slurm-wlm, munge)';
  return process.getuid?.() === 0 ? null : 'root, which Slurm wants in order to start jobs';
}

/** A cluster of one node. */
export interface SlurmCluster {
  /** What clients need: SLURM_CONF. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs a program of Slurm and returns what it printed. */
  command(program: string, ...args: readonly string[]): string;
  stop(): void;
}

/** Starts munged, slurmctld and slurmd of their own, with nothing outside `folder`; they die with this process at the latest. */
export async function startSlurm(folder: string): Promise<SlurmCluster> {
  for (const name of ['state', 'spool', 'munge']) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  const munge = (name: string) => join(folder, 'munge', name);
  writeFileSync(munge('key'), randomBytes(1024), { mode: 0o400 });
  const [controllerPort, nodePort] = [await freePort(), await freePort()];
  const host = hostname().split('.')[0]!;
  const configuration = join(folder, 'slurm.conf');
  writeFileSync(
    configuration,
    `ClusterName=twin
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
AuthType=auth/munge
AuthInfo=socket=${munge('socket')}
StateSaveLocation=${join(folder, 'state')}
SlurmdSpoolDir=${join(folder, 'spool')}
SlurmctldPidFile=${join(folder, 'slurmctld.pid')}
SlurmdPidFile=${join(folder, 'slurmd.pid')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
KillWait=5
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${availableParallelism()} State=UNKNOWN
PartitionName=main Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`,
  );
  const environment = { SLURM_CONF: configuration };
  const children: ChildProcess[] = [];
  const start = (binary: string, args: readonly string[]): void => {
    const log = openSync(join(folder, `${binary.split('/').at(-1)}.log`), 'a');
    const child = spawn('/usr/bin/setpriv', ['--pdeathsig', 'KILL', binary, ...args], {
      cwd: folder,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...environment },
    });
    children.push(child);
  };
  const command = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  const stop = (): void => {
    for (const child of children.toReversed()) child.kill('SIGKILL');
  };
  start('/usr/sbin/munged', [
    '--foreground',
    '--force',
    ...['key-file', 'pid-file', 'log-file', 'seed-file'].map((name) => `--${name}=${munge(name.split('-')[0]!)}`),
    `--socket=${munge('socket')}`,
  ]);
  const end = performance.now() + readyWithinMs;
  const until = async (ready: () => boolean): Promise<void> => {
    while (!ready()) {
      if (performance.now() > end) {
        stop();
        const logs = ['munged', 'slurmctld', 'slurmd'].map((name) => join(folder, `${name}.log`)).filter((path) => existsSync(path));
        throw new Error(`Slurm did not start in ${folder}:\n${logs.map((path) => readFileSync(path, 'utf8').slice(-1500)).join('\n')}`);
      }
      await delay(100);
    }
  };
  await until(() => existsSync(munge('socket')));
  start(findBinary('slurmctld')!, ['-D', '-f', configuration]);
  start('/usr/sbin/slurmd', ['-D', '-f', configuration]);
  await until(() => {
    try {
      return command('sinfo', '--noheader', '--format=%T').startsWith('idle');
    } catch {
      return false;
    }
  });
  return { environment, command, stop };
}
