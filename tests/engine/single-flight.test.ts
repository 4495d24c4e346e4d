import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { json } from '../../src/contracts/artifact.ts';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import { type PipelineBuilder, defineStep } from '../../src/engine/define.ts';
import { leasesTable } from '../../src/history/tables.ts';
import { engineRig, testHolder } from '../support/engine-rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const puppet = fileURLToPath(new URL('../support/puppet-run.ts', import.meta.url));

/** The puppet pipeline in a process of its own, with what it has said so far. */
function startPuppet(folder: string, hold = '') {
  const child = spawn(process.execPath, [puppet, folder], {
    env: { ...process.env, PUPPET_HOLD: hold },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const events: RunEvent[] = [];
  const waiting: { wanted: (line: string) => boolean; found: () => void }[] = [];
  const ended = once(child, 'exit');
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) events.push(JSON.parse(line) as RunEvent);
    for (const one of waiting) if (one.wanted(line)) one.found();
  });
  return {
    child,
    events,
    /** Resolves at the next line that is wanted. */
    says: (wanted: (line: string) => boolean) => new Promise<void>((found) => waiting.push({ wanted, found })),
    outcomes: async () => {
      await ended;
      return Object.fromEntries(events.filter((event) => event.type === 'step-finished').map(({ step, outcome }) => [step, outcome]));
    },
  };
}

const isWaiting = (line: string): boolean => line.includes('"type":"waiting"');

describe('of two processes that need the result of one key', { timeout: 60_000 }, () => {
  test('one makes it, the other waits and takes it', async () => {
    const folder = await temporaryFolder();
    const first = startPuppet(folder, 'row 1');
    await first.says((line) => line === 'held at row 1');
    const second = startPuppet(folder);
    await second.says(isWaiting);
    expect(second.events.find((event) => event.type === 'waiting')).toMatchObject({
      target: 'the result of double',
      holder: { pid: first.child.pid },
    });
    first.child.stdin.write('go on\n');
    expect(await first.outcomes()).toMatchObject({ read: 'succeeded', double: 'succeeded' });
    expect(await second.outcomes()).toMatchObject({ read: 'cached', double: 'cached' });
    const store = openSqliteMetadataStore({ file: join(folder, 'state.db') });
    expect(await store.scan(leasesTable, 'key/', '', 10)).toEqual([]);
    await store.close();
  });

  test('the other makes it at once where the first is killed', async () => {
    const folder = await temporaryFolder();
    const first = startPuppet(folder, 'row 1');
    await first.says((line) => line === 'held at row 1');
    const second = startPuppet(folder);
    await second.says(isWaiting);
    const killedAt = performance.now();
    first.child.kill('SIGKILL');
    expect(await second.outcomes()).toEqual({ read: 'cached', double: 'succeeded', apply: 'succeeded' });
    // Far below the time for which a lease holds.
    expect(performance.now() - killedAt).toBeLessThan(15_000);
  });
});

describe('in one process', () => {
  const number = json('number', z.number());
  let made = 0;
  const slow = defineStep({
    name: 'slow',
    version: 1,
    summary: 'Slow',
    params: z.strictObject({}),
    inputs: {},
    outputs: { number },
    async run({ outputs }) {
      made++;
      await new Promise((resolve) => setTimeout(resolve, 50));
      await outputs.number.write(made);
    },
  });

  test('two steps with one key do the work once', async () => {
    made = 0;
    const rig = await engineRig();
    const build = (builder: PipelineBuilder) => {
      builder.step(slow, {}, { as: 'one' });
      builder.step(slow, {}, { as: 'two' });
    };
    expect((await rig.run(build)).outcomes).toEqual({ one: 'succeeded', two: 'cached' });
    expect(made).toBe(1);
  });

  test('two runs with one key do the work once', async () => {
    made = 0;
    const rig = await engineRig();
    const build = (builder: PipelineBuilder) => void builder.step(slow, {});
    const other = { ...testHolder, pid: 2 };
    const begun = Promise.withResolvers<void>();
    const first = rig.run(build, { onEvent: (event) => event.type === 'step-started' && begun.resolve() });
    await begun.promise;
    const second = await rig.run(build, { holder: other });
    expect((await first).outcomes).toEqual({ slow: 'succeeded' });
    expect(second.outcomes).toEqual({ slow: 'cached' });
    expect(made).toBe(1);
  });
});
