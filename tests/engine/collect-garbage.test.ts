import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { collectStores } from '../../src/engine/collect-garbage.ts';
import { defineMapStep, defineStep } from '../../src/engine/define.ts';
import type { PipelineBuilder } from '../../src/engine/define.ts';
import type { Stores } from '../../src/engine/run-context.ts';
import { lineage } from '../../src/history/lineage.ts';
import { resultsTable } from '../../src/history/tables.ts';
import type { ArtifactStore } from '../../src/ports/artifact-store.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';
import { engineRig, testHolder } from '../support/engine-rig.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';

const hour = 3_600_000;
const day = 24 * hour;

const words = defineStep({
  name: 'words',
  version: 1,
  summary: 'Write words',
  params: z.strictObject({ count: z.int().default(3) }),
  inputs: {},
  outputs: { words: rows('words', z.strictObject({ word: z.string() })) },
  async run({ params, outputs }) {
    for (let at = 0; at < params.count; at++) await outputs.words.write({ word: `word ${at} of ${params.count}` });
  },
});
const loud = defineMapStep({
  name: 'loud',
  version: 1,
  summary: 'Say it loud',
  params: z.strictObject({}),
  input: rows('words', z.strictObject({ word: z.string() })),
  output: rows('loud', z.strictObject({ word: z.string() })),
  run: ({ row }) => ({ word: row.word.toUpperCase() }),
});
const train = defineStep({
  name: 'train',
  version: 1,
  summary: 'Make a model',
  params: z.strictObject({}),
  inputs: { loud: rows('loud', z.strictObject({ word: z.string() })) },
  outputs: { model: folder('model'), card: json('card', z.strictObject({ rows: z.number() })) },
  async run({ inputs, outputs }) {
    let text = '';
    for await (const { word } of inputs.loud) text += word;
    await writeFile(join(outputs.model.path, 'weights'), text);
    await outputs.card.write({ rows: text.length });
  },
});
const pipeline = (builder: PipelineBuilder): void => {
  builder.step(train, { loud: builder.step(loud, builder.step(words, {}).words) });
};

/** Three runs with different words, a day apart, on stores whose clock is set by hand; then a collection. */
async function history() {
  // Files keep the time of the machine, so the past is made by going ahead.
  let skew = 0;
  const clock = (): number => Date.now() + skew;
  const rig = await engineRig({ stores: { metadata: memoryMetadataStore(clock), cache: memoryMetadataStore(clock) } });
  const runs = [];
  for (const count of [3, 4, 5]) {
    runs.push(await rig.run(pipeline, { set: { 'words.count': count } }));
    skew += day;
  }
  skew = 10 * day;
  const leases = { store: rig.stores.metadata, holder: testHolder, isDead: () => false };
  const collect = (
    more: { readonly keepRuns?: number; readonly keepMs?: number; readonly dryRun?: boolean; readonly stores?: Stores } = {},
  ) => {
    const stores = more.stores ?? rig.stores;
    const retention = { keepRuns: more.keepRuns ?? null, keepMs: more.keepMs ?? null };
    const client = { ...leases, store: stores.metadata };
    return collectStores({ stores, leases: client, retention, dryRun: more.dryRun ?? false, signal: new AbortController().signal });
  };
  const content = async () => (await Array.fromAsync(rig.stores.artifacts.list())).map(({ digest }) => digest);
  return { ...rig, runs, collect, content, at: (ms: number) => void (skew = ms) };
}

const digest = (run: Awaited<ReturnType<typeof history>>['runs'][number], step: string, output: string) =>
  run.finished(step).artifacts[output]!.digest;

describe('collecting garbage', () => {
  test('keeps what the newest run made, frees what only older ones made, and the dry run says the same', async () => {
    const { collect, content, runs, run } = await history();
    const before = await content();
    const dry = await collect({ keepRuns: 1, dryRun: true });
    expect(await content()).toEqual(before);
    const swept = await collect({ keepRuns: 1 });
    expect(swept.freed).toEqual(dry.freed);
    expect(swept.freed.map(({ kind, count }) => [kind, count])).toEqual([
      ['results', 6],
      ['artifacts', 6],
    ]);
    expect((await content()).toSorted()).toEqual(
      [digest(runs[2]!, 'words', 'words'), digest(runs[2]!, 'loud', 'output'), digest(runs[2]!, 'train', 'model')].toSorted(),
    );
    expect((await run(pipeline, { set: { 'words.count': 5 } })).outcomes).toEqual({ words: 'cached', loud: 'cached', train: 'cached' });
    expect((await run(pipeline, { set: { 'words.count': 3 } })).outcomes).toEqual({
      words: 'succeeded',
      loud: 'succeeded',
      train: 'succeeded',
    });
    expect((await collect({ keepRuns: 1, dryRun: true })).kept.artifacts).toBeGreaterThan(0);
  });

  test('by age, keeps runs that are young enough', async () => {
    const { collect } = await history();
    expect((await collect({ keepMs: 8.5 * day, dryRun: true })).kept.runs).toBe(1);
    expect((await collect({ keepMs: 30 * day, dryRun: true })).freed).toEqual([]);
    expect((await collect({ keepRuns: 2, keepMs: 1, dryRun: true })).kept.runs).toBe(2);
  });

  test('never touches what a model names, and keeps the past of it to be told', async () => {
    const { collect, content, runs, stores } = await history();
    const model = digest(runs[0]!, 'train', 'model');
    await stores.metadata.append('model/m', 0, [{ type: 'registered', weights: model }]);
    await collect({ keepRuns: 1 });
    expect(await content()).toContain(model);
    expect(await content()).not.toContain(digest(runs[0]!, 'words', 'words'));
    expect(await content()).not.toContain(digest(runs[1]!, 'train', 'model'));
    expect((await lineage(stores, model)).steps.map(({ address }) => address)).toEqual(['train', 'loud', 'words']);
  });

  test('a result of which only the past is kept is done again, without a word of a miss', async () => {
    const { collect, runs, stores, run } = await history();
    await stores.metadata.append('model/m', 0, [{ weights: digest(runs[0]!, 'train', 'model') }]);
    await collect({ keepRuns: 1 });
    const again = await run(pipeline, { set: { 'words.count': 3 } });
    expect(again.outcomes['words']).toBe('succeeded');
    expect(again.events.filter(({ type }) => type === 'cache-miss')).toEqual([]);
  });

  test('frees the cached rows of map steps that no kept run used, and none of those that one did', async () => {
    const { collect, stores } = await history();
    await stores.cache.putMany('row-tables', [{ key: 'rows:old', expectedRevision: null, row: { step: 'gone' } }]);
    await stores.cache.putMany('rows:old', [{ key: 'k', expectedRevision: null, row: { rows: [1] } }]);
    const swept = await collect({ keepRuns: 1 });
    expect(swept.freed.find(({ kind }) => kind === 'row-cache')).toMatchObject({ count: 1 });
    expect(await stores.cache.scan('rows:old', '', '', 10)).toEqual([]);
    const [left] = await stores.cache.scan('row-tables', '', '', 10);
    expect(left!.row).toEqual({ step: 'loud' });
    expect(await stores.cache.scan(left!.key, '', '', 100)).toHaveLength(12);
  });

  test('content that nobody has named yet is left for an hour, and what a dead process left in staging too', async () => {
    const { collect, content, stores, at } = await history();
    const half = await stores.artifacts.stage();
    await writeFile(join(half, 'half'), 'written');
    const path = join(await stores.artifacts.stage(), 'unnamed');
    await writeFile(path, 'about to be registered');
    const { digest: unnamed } = await stores.artifacts.putFile(path);
    at(0);
    await collect({ keepRuns: 9 });
    expect(await content()).toContain(unnamed);
    at(2 * hour);
    expect((await collect({ keepRuns: 9 })).freed.map(({ kind }) => kind)).toEqual(['artifacts', 'staging']);
    expect(await content()).not.toContain(unnamed);
  });

  test('while a run goes on, what it may have looked up waits; later runs do not keep it waiting', async () => {
    const { collect, content, runs, run, stores, at } = await history();
    const old = digest(runs[0]!, 'words', 'words');
    const release = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const hold = defineStep({
      name: 'hold',
      version: 1,
      summary: 'Hold',
      params: z.strictObject({}),
      inputs: { words: rows('words', z.strictObject({ word: z.string() })) },
      outputs: { seen: json('seen', z.number()) },
      async run({ inputs, outputs }) {
        begun.resolve();
        await release.promise;
        let seen = 0;
        for await (const _ of inputs.words) seen++;
        await outputs.seen.write(seen);
      },
    });
    const live = run((builder) => void builder.step(hold, { words: builder.step(words, {}).words }), { set: { 'words.count': 3 } });
    await begun.promise;
    const swept = await collect({ keepRuns: 1 });
    expect(swept.deferred).toMatchObject({ count: expect.any(Number) as number, runs: [expect.any(String)] });
    expect(swept.deferred.count).toBeGreaterThan(0);
    expect(await content()).toContain(old);
    release.resolve();
    const end = await live;
    expect(end.outcomes).toEqual({ words: 'cached', hold: 'succeeded' });
    // Nothing of the other runs is needed; a run that began after they were condemned does not save them.
    at(10 * day + 120_000);
    await stores.metadata.putMany('leases', [
      { key: 'run/later', expectedRevision: 0, row: { holder: testHolder, since: Date.now() + 10 * day + 60_000 } },
    ]);
    const later = await collect({ keepRuns: 1 });
    // The words of the third run were needed until the run that held gave its pipeline newer ones.
    expect(later.deferred.count).toBe(1);
    expect(await content()).not.toContain(digest(runs[1]!, 'train', 'model'));
    expect(await content()).toContain(digest(runs[2]!, 'train', 'model'));
  });

  test('two collections at once: the second is refused and says who is at it', async () => {
    const { collect, stores } = await history();
    await stores.metadata.putMany('leases', [{ key: 'gc/state', expectedRevision: 0, row: { holder: testHolder, since: Date.now() } }]);
    await expect(collect({ keepRuns: 1 })).rejects.toMatchObject({
      problem: { reason: 'locked', message: expect.stringContaining('twin run test') as string },
    });
  });

  test(
    'killed after any of its writes, it has taken nothing that is needed, and the next one frees the rest',
    { timeout: 60_000 },
    async () => {
      let points = 0;
      for (let crashAt = 1; ; crashAt++) {
        const { collect, content, runs, run, stores } = await history();
        await stores.metadata.append('model/m', 0, [{ weights: digest(runs[0]!, 'train', 'model') }]);
        let writes = 0;
        const crashing = <Value>(work: () => Promise<Value>): Promise<Value> => {
          if (++writes > crashAt) return Promise.reject(new Error('killed'));
          return work();
        };
        const metadata = (store: MetadataStore): MetadataStore => ({
          ...store,
          putMany: (table, rows_, durability) =>
            table === 'leases' ? store.putMany(table, rows_, durability) : crashing(() => store.putMany(table, rows_, durability)),
          clear: (table) => crashing(() => store.clear(table)),
        });
        const artifacts: ArtifactStore = {
          ...stores.artifacts,
          remove: (...given) => crashing(() => stores.artifacts.remove(...given)),
        };
        const killed = await collect({
          keepRuns: 1,
          stores: { metadata: metadata(stores.metadata), cache: metadata(stores.cache), artifacts },
        }).then(
          () => false,
          () => true,
        );
        if (!killed) break;
        points++;
        expect(await content()).toContain(digest(runs[0]!, 'train', 'model'));
        expect((await run(pipeline, { set: { 'words.count': 5 } })).outcomes).toEqual({ words: 'cached', loud: 'cached', train: 'cached' });
        await collect({ keepRuns: 1 });
        const needed = [
          digest(runs[0]!, 'train', 'model'),
          ...['words/words', 'loud/output', 'train/model'].map((name) => digest(runs[2]!, ...(name.split('/') as [string, string]))),
        ];
        expect((await content()).toSorted()).toEqual(needed.toSorted());
        expect((await stores.metadata.scan(resultsTable, '', '', 100)).length).toBe(6);
      }
      expect(points).toBeGreaterThan(5);
    },
  );
});
