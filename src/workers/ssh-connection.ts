import { type ChildProcess, spawn } from 'node:child_process';
import { ProblemError } from '../contracts/problem.ts';
import { sharedConnection } from './ssh-control.ts';

/** Which machine, and how to get there. */
export interface SshTarget {
  readonly host: string;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly identityFile?: string | undefined;
  /** Further options of ssh, as after `-o`. */
  readonly options: readonly string[];
}

/** A way to another machine; nothing is kept open between calls but what ssh shares by itself. */
export interface SshConnection {
  readonly host: string;
  /** Runs a shell script there, as a process that is talked to. */
  start(script: string): ChildProcess;
  /** Runs a shell script there and returns what it prints. */
  shell(script: string, input?: string): Promise<string>;
}

/** Opens nothing yet. */
export function sshConnection(target: SshTarget): SshConnection {
  const { host, user, port, identityFile, options } = target;
  const place = user === undefined ? host : `${user}@${host}`;
  const shared = sharedConnection({ place, port: port ?? null, identityFile: identityFile ?? null, options: [...options] }, (more) =>
    spawn('ssh', [...argumentsWith(more), place], { stdio: 'ignore', detached: true }),
  );
  const argumentsWith = (more: readonly string[]): string[] => [
    ...[
      'BatchMode=yes',
      'ConnectTimeout=10',
      'ServerAliveInterval=10',
      'ServerAliveCountMax=3',
      ...(shared.socket === null ? [] : [`ControlPath=${shared.socket}`]),
      ...options,
      ...more,
    ].flatMap((one) => ['-o', one]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(identityFile === undefined ? [] : ['-i', identityFile]),
  ];
  const start = (script: string): ChildProcess => {
    shared.open();
    return spawn('ssh', [...argumentsWith(['ControlMaster=no']), place, script], { stdio: ['pipe', 'pipe', 'pipe'] });
  };
  return {
    host,
    start,
    async shell(script, input = '') {
      const child = start(script);
      let output = '';
      child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
      child.stdin!.on('error', () => {}); // the exit code says it better
      child.stdin!.end(input);
      await sshEnded(child, host);
      return output;
    },
  };
}

/** Resolves when a process that ssh runs on a host, or one that feeds it, has ended well; a ProblemError otherwise. */
export function sshEnded(child: ChildProcess, host: string): Promise<void> {
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) return resolve();
      const unreachable = code === 255;
      reject(
        new ProblemError({
          reason: unreachable ? 'host-unreachable' : 'remote-failed',
          message: unreachable ? `${host} cannot be reached over ssh.` : `A command on ${host} ended with exit code ${code}.`,
          found: errors.trim().split('\n').slice(-5).join('\n') || 'no output',
          hint: unreachable ? `Try: ssh ${host} true` : 'Look at jobLauncher in the configuration: twin config show jobLauncher',
          exit: 1,
        }),
      );
    });
  });
}
