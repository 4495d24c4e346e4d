import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import type { ProcessIdentity } from '../contracts/worker-protocol.ts';

/** What the platform knows of a process: when it started, and whether it is more than an unreaped entry in the process table. */
interface ProcessState {
  readonly start: string;
  readonly alive: boolean;
}

/** Names a running process beyond the reuse of its pid; null where there is none, or only a zombie. */
export function processIdentity(pid: number): ProcessIdentity | null {
  const state = processState(pid);
  return state?.alive ? { pid, start: state.start, bootId: bootId() } : null;
}

/** Whether exactly this process still runs in this boot of this machine; a zombie does not. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  const state = processState(identity.pid);
  return state !== null && state.alive && state.start === identity.start;
}

let knownBootId: string | undefined;

/** Names the current boot of this machine: pids and start times of two boots are never compared. */
export function bootId(): string {
  knownBootId ??=
    process.platform === 'linux'
      ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      : execFileSync('sysctl', ['-n', 'kern.boottime'], { encoding: 'utf8' }).trim();
  return knownBootId;
}

/** Names the pid namespace of a process (a container has its own); empty where the platform has none. */
export function pidNamespace(pid: number | 'self' = 'self'): string {
  return process.platform === 'linux' ? readlinkSync(`/proc/${pid}/ns/pid`) : '';
}

function processState(pid: number): ProcessState | null {
  return process.platform === 'linux' ? linuxProcessState(pid) : psProcessState(pid);
}

function linuxProcessState(pid: number): ProcessState | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The second field is the command in parentheses and may itself hold spaces and parentheses; the third field follows the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0]!;
  return { start: fields[19]!, alive: state !== 'Z' && state !== 'X' };
}

function psProcessState(pid: number): ProcessState | null {
  try {
    const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const [state = '', ...start] = line.split(/\s+/);
    return line === '' ? null : { start: start.join(' '), alive: !state.startsWith('Z') };
  } catch {
    return null;
  }
}
