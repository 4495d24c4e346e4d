import { expect, onTestFinished, test } from 'vitest';
import type { WatchStatus } from '../../src/contracts/watch.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { watchChanges } from '../../src/index-sync/watch.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openRig, type Rig } from './rig.ts';

async function openTestRig(): Promise<Rig> {
  const rig = openRig(await temporaryFolder());
  onTestFinished(() => rig.close());
  return rig;
}

/** A watch that runs until `stop`, and what it says. */
function startWatch(rig: Rig, log: (line: string) => void = () => undefined) {
  const stopping = new AbortController();
  const said: WatchStatus[] = [];
  const waiting: { readonly state: WatchStatus['state']; readonly resolve: () => void }[] = [];
  const ended = watchChanges(
    {
      ...rig.options,
      log,
      stop: stopping.signal,
      status(status) {
        said.push(status);
        for (const one of waiting) if (one.state === status.state) one.resolve();
      },
    },
    rig.ports,
  );
  ended.catch(() => undefined);
  return {
    said,
    ended,
    stop: () => stopping.abort(),
    state: (state: WatchStatus['state']) => new Promise<void>((resolve) => void waiting.push({ state, resolve })),
  };
}

/** Waits until the index is in step, however long that takes. */
async function inStep(rig: Rig): Promise<void> {
  await expect
    .poll(async () => (await rig.vectorIndex.alias('main')) !== null && (await rig.pointDifferences()), { timeout: 20_000 })
    .toEqual([]);
}

test('a watch applies what there is, then each change when it is made, and ends with the cursor behind it', async () => {
  const rig = await openTestRig();
  await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' }), exampleDocument('b', { content: 'three' })]);
  const watch = startWatch(rig);
  await watch.state('in-step');
  expect(await rig.pointDifferences()).toEqual([]);
  await rig.documentStore.put([exampleDocument('a', { content: '1' }), exampleDocument('c', { content: 'four' })]);
  await rig.documentStore.delete([{ tenant: 'default', id: 'b' }]);
  await inStep(rig);
  watch.stop();
  expect(await watch.ended).toMatchObject({ documents: 2, points: 2, settled: expect.any(Number), deadLetters: 0 });
  expect(await rig.differences()).toEqual([]);
  expect(watch.said.at(-1)).toMatchObject({ type: 'watch-status', state: 'stopping', unsettled: 0, problem: null });
  expect(watch.said.at(-1)).toMatchObject({ pointsWritten: 5, pointsRemoved: 2, embeddingsMade: 5 });
  expect((await rig.sync()).counts).toEqual({});
});

test('a watch waits for a server that is away, says for what, and goes on by itself', async () => {
  const rig = await openTestRig();
  let away = 2;
  const ensure = rig.ports.vectorIndex.ensure.bind(rig.ports.vectorIndex);
  Object.assign(rig.ports.vectorIndex, {
    ensure: (generation: string, dimension: number) => {
      if ((away -= 1) >= 0) throw new ProblemError({ reason: 'qdrant-unreachable', message: 'Qdrant does not answer', exit: 1 });
      return ensure(generation, dimension);
    },
  });
  await rig.documentStore.put([exampleDocument('a', { content: 'one' })]);
  const watch = startWatch(rig);
  await watch.state('in-step');
  expect(watch.said.filter(({ state }) => state === 'waiting').map(({ problem }) => problem)).toEqual([
    'Qdrant does not answer',
    'Qdrant does not answer',
  ]);
  watch.stop();
  await watch.ended;
  expect(await rig.differences()).toEqual([]);
});

test('a burst of 50,000 documents over a slow index is taken in as it can be: what is unsettled stays bounded', async () => {
  const rig = await openTestRig();
  const upsert = rig.ports.vectorIndex.upsert.bind(rig.ports.vectorIndex);
  Object.assign(rig.ports.vectorIndex, {
    upsert: async (...given: Parameters<typeof upsert>) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return upsert(...given);
    },
  });
  const watch = startWatch(rig);
  await watch.state('in-step');
  for (let start = 0; start < 50_000; start += 5000)
    await rig.documentStore.put(Array.from({ length: 5000 }, (_, n) => exampleDocument(`d${start + n}`, { content: `text ${start + n}` })));
  await expect.poll(() => watch.said.at(-1)?.settled, { timeout: 60_000 }).toBeGreaterThanOrEqual(50_000);
  watch.stop();
  expect(await watch.ended).toMatchObject({ documents: 50_000, points: 50_000 });
  const most = Math.max(...watch.said.map(({ unsettled }) => unsettled));
  expect(most).toBeGreaterThan(4000);
  // The feed is read no further from 8,192 on, and a page that was asked for has 1,024 more.
  expect(most).toBeLessThanOrEqual(8192 + 1024);
  expect(await rig.differences()).toEqual([]);
}, 120_000);

test('a watch tries dead letters again when it is asked to', async () => {
  const rig = await openTestRig();
  rig.breakVectorsOf('bad');
  await rig.documentStore.put([exampleDocument('a', { content: 'bad' }), exampleDocument('b', { content: 'good' })]);
  const watch = startWatch(rig);
  await watch.state('in-step');
  expect(watch.said.at(-1)).toMatchObject({ deadLetters: 1 });
  rig.breakVectorsOf(null);
  await (await rig.deadLetters()).askRetry([{ tenant: 'default', id: 'a' }]);
  await inStep(rig);
  watch.stop();
  expect(await watch.ended).toMatchObject({ documents: 2, deadLetters: 0 });
  expect(await rig.differences()).toEqual([]);
});

test('a watch warns once when half of the history has passed, until it has caught up well below', async () => {
  const rig = await openTestRig();
  const lag = { behindMs: 0, windowUsed: 0.5 };
  Object.assign(rig.ports.changeFeed, { lag: async () => lag });
  const logged: string[] = [];
  const watch = startWatch(rig, (line) => void logged.push(line));
  await watch.state('in-step');
  await expect.poll(() => watch.said.at(-1)?.alarm, { timeout: 5000 }).toBe(true);
  lag.windowUsed = 0.45;
  await expect.poll(() => watch.said.at(-1)?.windowUsed, { timeout: 5000 }).toBe(0.45);
  expect(watch.said.at(-1)).toMatchObject({ alarm: true });
  lag.windowUsed = 0.1;
  await expect.poll(() => watch.said.at(-1)?.alarm, { timeout: 5000 }).toBe(false);
  watch.stop();
  await watch.ended;
  expect(logged).toEqual([
    "Warning: 50 % of the source's history has passed since the last settled change; at 100 % changes are lost. Let the source keep more of it, or see what holds the index up.",
    "The index has caught up to 10 % of the source's history.",
  ]);
});

test('what is wrong for good ends a watch', async () => {
  const rig = await openTestRig();
  Object.assign(rig.ports.vectorIndex, {
    ensure: () => Promise.reject(new ProblemError({ reason: 'index-dimension', message: 'another dimension', exit: 2 })),
  });
  await expect(startWatch(rig).ended).rejects.toMatchObject({ problem: { reason: 'index-dimension' } });
});
