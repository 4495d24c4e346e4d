import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { embedderAlias } from '../../src/contracts/index-state.ts';
import type { SyncPoint } from '../../src/index-sync/apply.ts';
import { listGenerations, readGeneration } from '../../src/index-sync/generations.ts';
import { nameOf } from '../../src/index-sync/fingerprint.ts';
import { Ledger } from '../../src/index-sync/ledger.ts';
import type { Embedder } from '../../src/ports/embedder.ts';
import { retrieve } from '../../src/retrieval/retrieve.ts';
import { exampleDocument } from '../support/documents.ts';
import { hashEmbedder } from '../support/hash-embedder.ts';
import { expectIndexEqualsSource } from '../support/index-oracle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { lineMaker, openRig, type Rig } from './rig.ts';

const [old, young] = [hashEmbedder('old-model', 8), hashEmbedder('young-model', 16)];

let rig: Rig;
beforeEach(async () => {
  rig = openRig(await temporaryFolder());
  const opened = rig;
  onTestFinished(() => opened.close());
});

const document = (n: number, text = `first ${n}`) => exampleDocument(`d${n}`, { content: `${text}\nline ${n}` });
const documents = (count: number) => Array.from({ length: count }, (_, n) => document(n));

/** Brings the generation of an embedder in step, as a process that is configured with it does. */
const syncWith = (embedder: Embedder, change: Parameters<Rig['sync']>[0] = {}) => {
  const fingerprint = { clean: 'clean-1', chunk: 'chunk-1', tokenizer: 'words', embedder: embedder.identity, terms: 'words-1' };
  return rig.withEmbedder(embedder).sync({ fingerprint, ...change });
};

const ask = (question: string, embedder: Embedder) => {
  const request = { question, tenant: 'default', index: 'main', passages: 3, terms: (text: string) => text.split(' ') };
  return retrieve(request, { embedder, vectorIndex: rig.vectorIndex, reranker: null, model: null });
};

const expectClean = async (embedder: Embedder) => {
  const { documentStore, metadataStore, vectorIndex } = rig;
  const stored = await documentStore.scan({ limit: 10_000 });
  await expectIndexEqualsSource({ index: 'main', documents: stored, maker: lineMaker, embedder, vectorIndex, metadataStore });
};

const state = async (generation: string) => (await readGeneration(rig.metadataStore, 'main', generation))?.state;

describe('building an index anew with another embedder', () => {
  test('under writes and continuous questions loses nothing, fails no reader and mixes no models', async () => {
    await rig.documentStore.put(documents(120));
    // The process that feeds the old generation began before the new one took over.
    const startedAt = 0;
    const blue = await syncWith(old, { startedAt });
    const seen = { built: false, changed: 0, old: 0, young: 0 };
    /** A reader keeps to its embedder for as long as it runs; those of the young one come when there is something for them. */
    const reader = async (name: 'old' | 'young', embedder: Embedder) => {
      while (!seen.built || seen[name] < 10) {
        await turn();
        if (name === 'young' && (await rig.vectorIndex.alias(embedderAlias('main', embedder.identity))) === null) continue;
        const { hits, generation } = await ask('first 7', embedder);
        expect(generation === blue.generation).toBe(name === 'old');
        // Another model's vectors are of another length here, and would be refused at the least.
        expect(hits.length).toBeGreaterThan(0);
        seen[name] += 1;
      }
    };
    const writer = async () => {
      for (; !seen.built; seen.changed++) {
        const { changed } = seen;
        const n = changed % 140;
        if (changed % 5 === 4) await rig.documentStore.delete([{ tenant: 'default', id: `d${n}` }]);
        else await rig.documentStore.put([document(n, `change ${changed}`)]);
        await syncWith(old, { startedAt });
        await turn();
      }
    };
    const build = async () => {
      let green = await syncWith(young);
      for (; seen.changed < 15; green = await syncWith(young)) await turn();
      seen.built = true;
      return green;
    };
    const all = [build(), reader('old', old), reader('young', young), writer()] as const;
    // Where one fails, the others shall end.
    for (const one of all) one.catch(() => Object.assign(seen, { built: true, old: Infinity, young: Infinity }));
    const [green] = await Promise.all(all);
    expect(green.generation).not.toBe(blue.generation);
    await syncWith(young);
    expect(await rig.vectorIndex.alias('main')).toBe(green.generation);
    await expectClean(young);
    // The one before is fed by whoever is configured for it, with a ledger of its own, and readers with its embedder still find it.
    await syncWith(old, { startedAt });
    expect((await ask('first 7', old)).generation).toBe(blue.generation);
    expect(await rig.vectorIndex.alias('main')).toBe(green.generation);
    expect(seen.old).toBeGreaterThan(9);
    expect(seen.young).toBeGreaterThan(9);
  });

  test('keeps the one before for a while, then drops its points, its ledger and its names', async () => {
    await rig.documentStore.put(documents(3));
    const blue = await syncWith(old);
    const green = await syncWith(young, { keepMs: 60_000 });
    expect([await state(blue.generation), await state(green.generation)]).toEqual(['kept', 'serving']);
    const kept = await readGeneration(rig.metadataStore, 'main', blue.generation);
    expect(kept!.keptUntil! - kept!.since).toBe(60_000);
    await syncWith(young);
    expect(await rig.vectorIndex.count(blue.generation, 'default')).toBe(6);

    const again = await syncWith(hashEmbedder('third-model'), { keepMs: 0 });
    expect((await listGenerations(rig.metadataStore, 'main')).map(({ generation }) => generation).toSorted()).toEqual(
      [blue.generation, again.generation].toSorted(),
    );
    await expect(rig.vectorIndex.count(green.generation, 'default')).rejects.toThrow('There is no generation');
    expect(await new Ledger(rig.metadataStore, green.generation).isEmpty()).toBe(true);
    await expect(ask('first 1', young)).rejects.toMatchObject({ problem: { reason: 'other-embedder' } });
  });

  test('a configuration that goes back takes the generation that was kept, and brings it in step first', async () => {
    await rig.documentStore.put(documents(3));
    const blue = await syncWith(old);
    await syncWith(young);
    await rig.documentStore.put([document(1, 'changed')]);
    const back = await syncWith(old);
    expect(back).toMatchObject({ generation: blue.generation, counts: { changes: 1 } });
    await expectClean(old);
  });
});

describe('the gate', () => {
  const verdictOf = async (generation: string) => (await readGeneration(rig.metadataStore, 'main', generation))?.verdict;

  test('passes a whole generation, and says what it saw', async () => {
    await rig.documentStore.put(documents(10));
    const { generation } = await syncWith(old, { floors: { sample: 4, recall: 1 } });
    expect(await verdictOf(generation)).toEqual({
      verdict: 'pass',
      reasons: [],
      generation,
      checks: {
        replaces: null,
        documents: { expected: 10, found: 10 },
        points: { expected: 20, found: 20 },
        sample: { documents: 4, points: 8, wrong: 0 },
        recall: { asked: 8, found: 8, floor: 1 },
      },
    });
  });

  test('refuses one that lost points, and readers keep what they have', async () => {
    await rig.documentStore.put(documents(10));
    const blue = await syncWith(old);
    const reached = async (point: SyncPoint) => {
      if (point !== 'after-cursor') return;
      const green = nameOf('main', { ...rig.fingerprint, embedder: young.identity });
      const [lost] = await rig.vectorIndex.scroll(green, '', 1);
      await rig.vectorIndex.remove(green, 'default', [lost!.id], Number.MAX_SAFE_INTEGER);
    };
    const { generation, points } = await syncWith(young, { reached, floors: { sample: 10, recall: 0.5 } });
    expect({ generation, points }).toEqual({ generation: blue.generation, points: 20 });
    expect(await rig.vectorIndex.alias('main')).toBe(blue.generation);
    expect(await rig.vectorIndex.alias(embedderAlias('main', young.identity))).toBeNull();
    const refused = (await listGenerations(rig.metadataStore, 'main')).find((record) => record.state === 'refused');
    expect(refused!.verdict!.reasons).toEqual(['it holds 19 of 20 points', '1 of 20 points of the sample are not what the source says']);
    // A forced reading repairs it, and then it may.
    const repaired = await syncWith(young, { rescan: true });
    expect(repaired).toMatchObject({ generation: refused!.generation, points: 20 });
    await expectClean(young);
  });

  test('refuses one that a search does not find its points in', async () => {
    await rig.documentStore.put(documents(10));
    await syncWith(old);
    const blind = { ...young, embed: young.embed.bind(young) };
    const { searchDense } = rig.vectorIndex;
    rig.vectorIndex.searchDense = async () => [];
    onTestFinished(() => void (rig.vectorIndex.searchDense = searchDense));
    await syncWith(blind, { floors: { sample: 2, recall: 0.9 } });
    const refused = (await listGenerations(rig.metadataStore, 'main')).find((record) => record.state === 'refused');
    expect(refused!.verdict!.reasons).toEqual(['a search finds 0 of 4 points by their own vector, which is less than 90 %']);
  });
});

test.each<SyncPoint>(['after-intent', 'after-cursor', 'before-alias', 'after-embedder-alias', 'after-alias', 'after-take-over'])(
  'a re-embedding that a kill -9 ended %s is finished by the next process',
  async (point) => {
    const folder = await temporaryFolder();
    const onDisk = openRig(folder, { onDisk: true });
    onTestFinished(() => onDisk.close());
    await onDisk.documentStore.put(documents(40));
    const blue = await onDisk.sync();
    const puppet = join(import.meta.dirname, 'sync-and-die.ts');
    const { signal } = spawnSync(process.execPath, [puppet, folder, point, '1', 'clean-2'], { stdio: 'ignore' });
    expect(signal).toBe('SIGKILL');
    await onDisk.documentStore.put([document(3, 'changed meanwhile')]);
    const green = await onDisk.sync({ fingerprint: { ...onDisk.fingerprint, clean: 'clean-2' } });
    expect(green.generation).not.toBe(blue.generation);
    expect(await onDisk.differences()).toEqual([]);
    const records = (await listGenerations(onDisk.metadataStore, 'main')).map(({ generation, state: was }) => [generation, was]);
    expect(new Map(records as [string, string][])).toEqual(
      new Map([
        [blue.generation, 'kept'],
        [green.generation, 'serving'],
      ]),
    );
  },
);
