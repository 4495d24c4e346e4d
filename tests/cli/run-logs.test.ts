import { readFileSync, readdirSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { fixtureProject } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../bin/twin.js');

function twin(args: readonly string[], state: string) {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: fixtureProject,
    env: { ...process.env, TWIN_STATE: state, TWIN_TEST_PRINT: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const errors: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(line));
  child.stderr.on('data', (data: Buffer) => errors.push(data.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    lines,
    errors,
    ended,
    async until(text: string): Promise<void> {
      while (!lines.some((line) => line.includes(text))) await once(output, 'line');
    },
  };
}

/** Ids and times by what they are. */
const steady = (lines: readonly string[]) =>
  lines
    .join('\n')
    .replaceAll(/\d{8}-\d{6}-\w+/g, '<run>')
    .replaceAll(/\d\d:\d\d:\d\d/g, '<clock>')
    .replaceAll(/ +\d+\.\d s/g, ' <time>');

test('a live run can be followed from another terminal, and what its steps print stays off its own', async () => {
  const state = await temporaryFolder();
  const run = twin(['run', 'hold-pipeline', '--json'], state);
  await run.until('step-started');
  const follower = twin(['runs', 'logs', '-f'], state);
  await follower.until('and complaining');
  run.child.kill('SIGINT');
  expect(await run.ended).toBe(130);
  expect(await follower.ended).toBe(0);
  expect(run.lines.map((line) => (JSON.parse(line) as { type: string }).type)).not.toContain('step-output');
  expect(run.errors.join('')).not.toContain('complaining');
  expect(steady(follower.lines)).toMatchInlineSnapshot(`
    "<clock> hold-pipeline: 1 step (run <run>)
    <clock>   hold-target| holding red
    <clock>   hold-target! and complaining
    <clock>   cancelled  hold-target

             hold-pipeline was cancelled after <time>: 1 cancelled.
             → finished steps are kept: twin run hold-pipeline"
  `);
});

test('the log of a run that was killed ends where it was killed, and following it says so', async () => {
  const state = await temporaryFolder();
  const run = twin(['run', 'hold-pipeline'], state);
  await run.until('hold-pipeline');
  const follower = twin(['runs', 'logs', '-f', '--step', 'hold-target', '--json'], state);
  await follower.until('and complaining');
  run.child.kill('SIGKILL');
  expect(await follower.ended).toBe(0);
  expect(follower.errors.join('')).toMatch(/^The process of run \S+ is gone\. The next twin run closes it\.\n$/);
  const after = twin(['runs', 'logs', '--step', 'hold-target', '--lines', '2', '--json'], state);
  expect(await after.ended).toBe(0);
  expect(after.lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { type: 'step-output', step: 'hold-target', attempt: 1, stream: 'stdout', text: 'holding \u001B[31mred\u001B[0m' },
    { type: 'step-output', step: 'hold-target', attempt: 1, stream: 'stderr', text: 'and complaining' },
  ]);
  const folder = readdirSync(join(state, 'logs')).find((name) => !name.endsWith('.jsonl'));
  expect(readFileSync(join(state, 'logs', folder!, 'hold-target.1.log'), 'utf8')).toContain(' err and complaining\n');
});
