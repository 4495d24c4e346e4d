import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import { rebuildIndexes } from '../../src/history/rebuild.ts';
import { listRuns, showRun } from '../../src/history/runs.ts';
import { derivedTables } from '../../src/history/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const puppet = fileURLToPath(new URL('../support/puppet-run.ts', import.meta.url));

/** Runs the puppet pipeline in a process of its own; kills it without warning once it is held. */
async function runPuppet(folder: string, hold?: string): Promise<RunEvent[]> {
  const child = spawn(process.execPath, [puppet, folder], {
    env: { ...process.env, PUPPET_HOLD: hold ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const events: RunEvent[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) events.push(JSON.parse(line) as RunEvent);
    else if (line === `held at ${hold}`) child.kill('SIGKILL');
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  expect(hold === undefined ? code : signal).toBe(hold === undefined ? 0 : 'SIGKILL');
  return events;
}

const outcomes = (events: readonly RunEvent[]) =>
  Object.fromEntries(events.filter((event) => event.type === 'step-finished').map(({ step, outcome }) => [step, outcome]));

describe('a run that is killed', () => {
  test('midway through rows goes on behind the last committed batch', async () => {
    const folder = await temporaryFolder();
    await runPuppet(folder, 'row 150');
    const events = await runPuppet(folder);
    expect(events[0]).toMatchObject({ type: 'run-closed', pipeline: 'puppet', reason: 'interrupted' });
    expect(outcomes(events)).toEqual({ read: 'cached', double: 'succeeded', apply: 'succeeded' });
    const double = events.find((event) => event.type === 'step-finished' && event.step === 'double');
    const { counts } = double as RunEvent & { type: 'step-finished' };
    // Rows are committed by number or by time: how many of the first 150 were, a slow machine decides.
    expect(counts['rows reused']).toBeGreaterThan(0);
    expect(counts['rows reused']).toBeLessThan(200);
    expect(counts['rows computed']! + counts['rows reused']!).toBe(200);
    expect(outcomes(await runPuppet(folder))).toEqual({ read: 'cached', double: 'cached', apply: 'cached' });
  });

  test('within an effect does the effect again, and its journal says what became of each step', async () => {
    const folder = await temporaryFolder();
    await runPuppet(folder, 'effect');
    expect(outcomes(await runPuppet(folder))).toEqual({ read: 'cached', double: 'cached', apply: 'succeeded' });

    const store = openSqliteMetadataStore({ file: join(folder, 'state.db') });
    const runs = await listRuns(store);
    expect(runs.map(({ status, reason, steps }) => ({ status, reason, steps }))).toEqual([
      { status: 'succeeded', reason: null, steps: { succeeded: 1, cached: 2, failed: 0, skipped: 0, cancelled: 0 } },
      { status: 'failed', reason: 'interrupted', steps: { succeeded: 2, cached: 0, failed: 1, skipped: 0, cancelled: 0 } },
    ]);
    const killed = await showRun(store, runs[1]!.run);
    expect(killed.ok && killed.value.steps.map(({ address, state, reason }) => [address, state, reason])).toEqual([
      ['read', 'succeeded', null],
      ['double', 'succeeded', null],
      ['apply', 'failed', 'lost'],
    ]);

    const tables = async () =>
      Promise.all(derivedTables.map(async (table) => (await store.scan(table, '', '', 100)).map(({ key, row }) => ({ key, row }))));
    const before = await tables();
    expect(await rebuildIndexes(store)).toEqual({ runs: 2 });
    expect(await tables()).toEqual(before);
    await store.close();
  });
});
