import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** A twin in a process of its own. */
export interface TwinProcess {
  readonly child: ChildProcess;
  /** What it has written so far, both streams. */
  text(): string;
  /** Resolves when it has written this. */
  says(pattern: RegExp | string): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts twin as a user does, in a folder. */
export function startTwin(args: readonly string[], folder: string, environment: Readonly<Record<string, string>>): TwinProcess {
  const child = spawn(process.execPath, [resolve(root, 'bin/twin.js'), ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      written += text;
      for (const look of waiting) look();
    });
  }
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const says = (pattern: RegExp | string): Promise<void> =>
    new Promise((done, fail) => {
      const look = (): void => {
        if (typeof pattern === 'string' ? !written.includes(pattern) : !pattern.test(written)) return;
        waiting.delete(look);
        done();
      };
      waiting.add(look);
      void ended.then((how) => waiting.delete(look) && fail(new Error(`ended with ${how} before it said ${pattern}:\n${written}`)));
      look();
    });
  return { child, text: () => written, says, ended };
}
