import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSqliteMetadataStore } from '../../../src/adapters/metadata-store/sqlite.ts';
import { openInProcessWorkQueue } from '../../../src/adapters/work-queue/in-process.ts';
import type { AttemptRow } from '../../../src/contracts/attempt.ts';
import type { RunEvent } from '../../../src/contracts/events/run.ts';
import { Dispatcher, type Handover } from '../../../src/engine/dispatch/dispatcher.ts';
import { parseItemKey, poolLane, readAttempts, writeAttempt, writeWorker } from '../../../src/engine/dispatch/tables.ts';
import { testHolder } from '../../support/engine-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const handover: Handover = {
  address: 'sum',
  attempt: 1,
  key: 'key',
  parts: {} as AttemptRow['parts'],
  params: { params: {}, rows: {} },
  inputs: {},
  forced: false,
  shard: null,
  pool: 'default',
};
const made = { artifacts: {}, counts: {} };

/** A run that hands attempts over, and a worker whose every word is the test's. */
async function dispatching() {
  const store = openSqliteMetadataStore({ file: join(await temporaryFolder(), 'state.db') });
  const queue = openInProcessWorkQueue();
  const said: string[] = [];
  const emit = (event: RunEvent): void => void (event.type === 'step-log' && said.push(event.message));
  const dispatcher = new Dispatcher({ store, queue, run: 'run', pipeline: 'pipeline', isDead: () => false, emit });
  const ending = new AbortController();
  const taken: string[] = [];
  let revision = 0;
  const beat = async (holds: readonly string[]): Promise<void> => {
    const outcome = await writeWorker(store, 'worker', revision, { pool: 'default', holder: testHolder, concurrency: 1, since: 0, holds });
    if (outcome.ok) revision = outcome.revision;
  };
  /** What a worker does when it takes an item, up to where it would begin to work. */
  const take = async (item: string): Promise<void> => {
    const { id, fence } = parseItemKey(item);
    const [found] = await readAttempts(store, [id]);
    if (found?.row.state !== 'queued' || found.row.fence !== fence) return;
    const row = { ...found.row, state: 'running', fence: fence + 1, worker: { id: 'worker', holder: testHolder } } as const;
    if ((await writeAttempt(store, { id, revision: found.revision, row })) !== null) taken.push(`${id}#${fence + 1}`);
  };
  const consumed = queue.consume((item) => (item.kind === 'attempt' ? take(item.key) : Promise.resolve()), {
    concurrency: 1,
    signal: ending.signal,
    lane: poolLane('default'),
  });
  onTestFinished(async () => {
    ending.abort();
    await consumed;
    await dispatcher.close();
    await queue.close();
    await store.close();
  });
  const finish = async (item: string): Promise<void> => {
    const { id } = parseItemKey(item);
    const [found] = await readAttempts(store, [id]);
    await writeAttempt(store, { id, revision: found!.revision, row: { ...found!.row, state: 'done', end: { ok: true, made } } });
  };
  return { dispatcher, beat, finish, taken, said };
}

test('steps that ask at once how many workers there are get the same answer', async () => {
  const { dispatcher, beat } = await dispatching();
  await beat([]);
  expect(await Promise.all([dispatcher.slots('default'), dispatcher.slots('default'), dispatcher.slots('default')])).toEqual([1, 1, 1]);
});

describe('an attempt that a worker has taken', () => {
  test('is taken back where the worker lives on and does not say that it does it, which is how its lost last write looks', async () => {
    const { dispatcher, beat, finish, taken, said } = await dispatching();
    await beat([]);
    const beating = setInterval(() => void beat([]), 1000);
    const end = dispatcher.hand(handover, new AbortController().signal);
    await expect.poll(() => taken, { timeout: 12_000 }).toEqual(['run/1#1', 'run/1#2']);
    clearInterval(beating);
    await finish(taken[1]!);
    expect(await end).toEqual(made);
    expect(said).toEqual([
      expect.stringMatching(/^The worker on .* has ended the step, and the journal has lost how\. The step is done again\.$/),
    ]);
  }, 20_000);

  test('stays with a worker that says so, however long it takes', async () => {
    const { dispatcher, beat, finish, taken, said } = await dispatching();
    await beat([]);
    const beating = setInterval(() => void beat(taken), 1000);
    const end = dispatcher.hand(handover, new AbortController().signal);
    await new Promise((resolve) => setTimeout(resolve, 8000));
    clearInterval(beating);
    await finish(taken[0]!);
    expect(await end).toEqual(made);
    expect({ taken, said }).toEqual({ taken: ['run/1#1'], said: [] });
  }, 20_000);
});
