import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { cancelRun } from '../../src/cli/commands/runs-cancel.ts';
import { fixtureProject, said } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../bin/twin.js');

/** A run in a process of its own that holds its target until it is stopped. */
async function holdingRun(state: string): Promise<{
  readonly child: ChildProcess;
  readonly run: string;
  readonly ended: Promise<number | null>;
  readonly lines: readonly string[];
}> {
  const child = spawn(process.execPath, [bin, 'run', 'hold-pipeline', '--json'], {
    cwd: fixtureProject,
    env: { ...process.env, TWIN_STATE: state },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(line));
  while (!lines.some((line) => line.includes('"type":"step-started"'))) await once(output, 'line');
  const started = lines.map((line) => JSON.parse(line) as { type: string; run: string }).find(({ type }) => type === 'run-started')!;
  return { child, run: started.run, ended, lines };
}

const cancel = (state: string, run: string) =>
  said({ folder: fixtureProject, environment: { TWIN_STATE: state } }, (context) => cancelRun(context, {}, run));

describe('twin runs cancel', () => {
  test('stops a run of another process, which says who asked', async () => {
    const state = await temporaryFolder();
    const { run, ended, lines } = await holdingRun(state);
    const { results, exit } = await cancel(state, 'latest');
    expect(results).toEqual([{ type: 'run-cancelled', run, status: 'cancelled', how: 'stopped' }]);
    expect(exit).toBe(0);
    expect(await ended).toBe(1);
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.some(({ type }) => type === 'cancel-requested')).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'run-finished', status: 'cancelled' });
    expect((await cancel(state, run)).stdout).toMatch(/ had ended before: cancelled\.\n$/);
  });

  test('closes a run whose process was killed', async () => {
    const state = await temporaryFolder();
    const { child, run, ended } = await holdingRun(state);
    child.kill('SIGKILL');
    await ended;
    const { results } = await cancel(state, run);
    expect(results.at(-1)).toEqual({ type: 'run-cancelled', run, status: 'failed', how: 'closed' });
  });

  test('names the near run where there is none of that name', async () => {
    const { stderr, exit } = await cancel(await temporaryFolder(), 'nonsense');
    expect(stderr).toBe('error: There is no run nonsense\n  found     nonsense\n  → twin runs list shows the ids\n');
    expect(exit).toBe(2);
  });
});
