import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { fixtureProject } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../bin/twin.js');

/** A Node that is too old for twin, null where the machine has none. */
function olderNode(): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const node = join(folder, 'node');
    try {
      const major = Number(execFileSync(node, ['-p', 'parseInt(process.versions.node)'], { encoding: 'utf8' }));
      if (major >= 18 && major < 26) return node;
    } catch {
      // No Node in this folder.
    }
  }
  return null;
}

function twin(args: readonly string[], state: string, node = process.execPath) {
  const child = spawn(node, [bin, ...args], {
    cwd: fixtureProject,
    env: { ...process.env, TWIN_STATE: state },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(line));
  const errors: string[] = [];
  child.stderr.on('data', (data: Buffer) => errors.push(data.toString()));
  return {
    child,
    lines,
    errors,
    /** Resolves when a line of JSON says so. */
    async until(type: string): Promise<void> {
      while (!lines.some((line) => line.includes(`"type":"${type}"`))) await once(output, 'line');
    },
    async ended(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
      return { code, signal };
    },
  };
}

describe('the process', () => {
  test('prints help that names every command and nothing that is not there', async () => {
    const { lines, ended } = twin(['--help'], await temporaryFolder());
    expect((await ended()).code).toBe(0);
    const commands = lines.slice(lines.indexOf('Commands:') + 1, lines.indexOf('Examples:'));
    const names = commands.flatMap((line) => /^ {2}([a-z]+)/.exec(line)?.[1] ?? []);
    expect(names).toEqual([
      'quickstart',
      'doctor',
      'run',
      'plan',
      'why',
      'worker',
      'runs',
      'verify',
      'watch',
      'reconcile',
      'dlq',
      'collect',
      'forget',
      'index',
      'jobs',
      'datasets',
      'models',
      'trace',
      'impact',
      'ask',
      'schedule',
      'config',
      'gc',
    ]);
  });

  test('answers an unknown command and an unknown flag with the near one, and exits 2', async () => {
    const state = await temporaryFolder();
    const [command, flag] = [twin(['rn'], state), twin(['run', 'words-pipeline', '--forc', 'x', '--json'], state)];
    const ends = await Promise.all([command.ended(), flag.ended()]);
    expect(ends.map(({ code }) => code)).toEqual([2, 2]);
    expect(command.errors.join('')).toBe('error: Unknown command rn\n  → Did you mean run?\n');
    expect(flag.lines).toEqual(['{"type":"error","reason":"usage","message":"Unknown option --forc","hint":"Did you mean --force?"}']);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops in order on %s, and exits %i', async (signal, exit) => {
    const { child, until, ended, lines } = twin(['run', 'hold-pipeline', '--json'], await temporaryFolder());
    await until('step-started');
    const end = ended();
    child.kill(signal);
    expect(await end).toEqual({ code: exit, signal: null });
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ type: 'run-finished', status: 'cancelled' });
  });

  test('ends in order when the process that started it is gone', async () => {
    const script = `const { spawn } = require('node:child_process'); spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' });`;
    const child = spawn(process.execPath, ['-e', script, bin, 'run', 'hold-pipeline', '--json'], {
      cwd: fixtureProject,
      env: { ...process.env, TWIN_STATE: await temporaryFolder() },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const lines: string[] = [];
    const output = createInterface({ input: child.stdout });
    for await (const line of output) {
      lines.push(line);
      if (line.includes('"type":"step-started"')) child.kill('SIGKILL');
    }
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ type: 'run-finished', status: 'cancelled' });
  });

  const older = olderNode();
  test.skipIf(older === null)('runs under its own Node when started by an older one, and passes signals and exit codes on', async () => {
    const state = await temporaryFolder();
    const stopped = twin(['run', 'hold-pipeline', '--json'], state, older!);
    await stopped.until('step-started');
    const end = stopped.ended();
    stopped.child.kill('SIGINT');
    expect(await end).toEqual({ code: 130, signal: null });
    const refused = twin(['run', 'gate-pipeline', '--quiet'], state, older!);
    expect(await refused.ended()).toEqual({ code: 3, signal: null });
  });
});

test.each([[['--help']], [['runs', '--help']], [['config', 'show']]])(
  'twin %j ends quietly where its reader has read enough',
  async (args) => {
    const child = spawn(process.execPath, [bin, ...args], { cwd: fixtureProject, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const errors: string[] = [];
    child.stderr.on('data', (data: Buffer) => errors.push(data.toString()));
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(errors.join('')).toBe('');
  },
);
