import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openFolderArtifactStore } from '../../src/adapters/artifact-store/folder.ts';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { forget, type ForgetFlags } from '../../src/cli/commands/forget.ts';
import { canonicalJson } from '../../src/contracts/digest.ts';
import { Forgotten } from '../../src/contracts/results.ts';
import { erasureOf, notePending } from '../../src/erasure/erasure.ts';
import { areForgotten } from '../../src/erasure/forgotten.ts';
import { filesBelow } from '../../src/erasure/erase-files.ts';
import { currentHolder } from '../../src/workers/holder.ts';
import { openRig, type Rig } from '../index-sync/rig.ts';
import { said } from '../support/command-line.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const secret = 'The secret that Ann Example told nobody else, and certainly not in so many words.';
const ann = { authorId: 'ann-1', authorName: 'Ann Example' };
let [folder, state, artifact] = ['', '', ''];

async function inState<Value>(use: (rig: Rig) => Promise<Value>): Promise<Value> {
  const rig = openRig(state, { onDisk: true });
  try {
    return await use(rig);
  } finally {
    await rig.close();
  }
}

async function inJournal<Value>(file: string, use: (store: ReturnType<typeof openSqliteMetadataStore>) => Promise<Value>): Promise<Value> {
  const store = openSqliteMetadataStore({ file: join(state, file) });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const run = (flags: ForgetFlags, json = true) => said({ folder, json }, (context) => forget(context, flags));
const lastLine = async (flags: ForgetFlags) => {
  const { stdout, exit } = await run(flags);
  return { exit, result: Forgotten.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1)!)) };
};
/** Files of the state that hold a text. */
const holding = async (text: string) => {
  const found: string[] = [];
  for (const file of await filesBelow(state)) if ((await readFile(file)).includes(text)) found.push(file.slice(state.length + 1));
  return found;
};

beforeEach(async () => {
  folder = await temporaryFolder();
  state = join(folder, '.twin');
  await mkdir(join(folder, 'configs'));
  await writeFile(join(folder, 'configs/local.yaml'), 'embedder: { kind: fake, dimension: 8 }\n');
  await mkdir(join(state, 'logs'), { recursive: true });
  await mkdir(join(state, 'jobs/j1'), { recursive: true });
  const documents = [
    exampleDocument('d1', { content: `${secret}\nsecond line`, ...ann }),
    exampleDocument('d2', { content: 'of somebody else\nwho stays' }),
    exampleDocument('d3', { content: 'more of her', ...ann }),
  ];
  await inState(async (rig) => {
    await rig.documentStore.put(documents);
    await rig.sync();
    await rig.sync({ fingerprint: { ...rig.fingerprint, clean: 'clean-2' } });
  });
  const row = { rows: [{ document: 'd1', text: secret, headings: [], sources: [{ document: 'd1', revision: 'r' }] }] };
  await inJournal('cache.db', async (cache) => {
    await cache.putMany('row-tables', [{ key: 'rows:chunks', expectedRevision: null, row: { step: 'chunk-documents' } }]);
    await cache.putMany('rows:chunks', [{ key: 'k1', expectedRevision: null, row }]);
    await cache.putMany('rows:chunks', [{ key: 'k2', expectedRevision: null, row: { rows: [{ document: 'd2' }] } }]);
  });
  const artifacts = openFolderArtifactStore({ folder: join(state, 'artifacts') });
  const staged = join(await artifacts.stage(), 'rows.jsonl');
  await writeFile(staged, `${canonicalJson(row.rows[0])}\n`);
  artifact = (await artifacts.putFile(staged)).digest;
  await writeFile(join(state, 'logs/run.jsonl'), `{"text":"d2 read"}\n{"text":"${secret}"}\n{"text":"done"}\n`);
  await writeFile(join(state, 'jobs/j1/rows.jsonl'), secret);
});

describe('twin forget', () => {
  test('shows what would go, changes nothing, and asks for a decision', async () => {
    const { stdout, stderr, exit } = await run({ document: 'd1' }, false);
    expect(exit).toBe(4);
    expect(stdout).toContain('1 document would be erased:');
    expect(stdout).toContain('points of all generations of the index');
    expect(stderr).toBe('error: Nothing was erased: it cannot be undone\n  → Erase it with: --yes\n');
    expect(await holding(secret)).toContain('documents.db');
  });

  test('erases a document from the store, every generation, caches, artifacts, logs and jobs, down to the bytes', async () => {
    const { exit, result } = await lastLine({ document: 'd1', yes: true });
    expect(exit).toBe(0);
    expect(result.erased).toMatchObject({ documents: 1, points: 4, artifacts: 1, cachedRows: 1, logLines: 1, files: 1 });
    expect(result.remains.every(({ traces }) => traces.join() === 'id')).toBe(true);
    expect(await holding(secret)).toEqual([]);
    expect(await readFile(join(state, 'logs/run.jsonl'), 'utf8')).toBe('{"text":"d2 read"}\n{"text":"done"}\n');
    expect(await inJournal('state.db', (store) => store.get('erased-artifacts', [artifact]))).toMatchObject([{ row: { kind: 'file' } }]);
    expect(await inJournal('cache.db', (cache) => cache.get('rows:chunks', ['k1', 'k2']))).toMatchObject([null, { row: {} }]);
    await inState(async (rig) => {
      expect(await rig.differences()).toEqual([]);
      expect(await rig.sync({ fingerprint: { ...rig.fingerprint, clean: 'clean-2' } })).toMatchObject({ documents: 2, points: 3 });
      expect(await rig.differences()).toEqual([]);
    });
  });

  test('is done when it is said again', async () => {
    await lastLine({ document: 'd1', yes: true });
    expect(await lastLine({ document: 'd1', yes: true })).toMatchObject({ exit: 0, result: { documents: 0, done: true } });
  });

  test('erases all of an author, and knows the author again', async () => {
    const { result } = await lastLine({ author: 'Ann Example', yes: true });
    expect(result).toMatchObject({ documents: 2, erased: { documents: 2 } });
    expect(await holding('Ann Example')).toEqual([]);
    const later = [exampleDocument('d9', { ...ann }), exampleDocument('d2'), exampleDocument('d1')];
    expect(await inJournal('state.db', (store) => areForgotten(store, later))).toEqual([true, false, true]);
    await inState(async (rig) => {
      await rig.documentStore.put(later);
      const { counts } = await rig.sync({ fingerprint: { ...rig.fingerprint, clean: 'clean-2' } });
      expect(counts).toMatchObject({ forgotten: 2 });
      expect(await holding('d9')).not.toContain('index.db');
    });
  });

  test('goes on after it died when the document was gone and the rest was not', async () => {
    await inState(async (rig) => {
      const [read] = await rig.documentStore.get([{ tenant: 'default', id: 'd1' }]);
      const erasure = erasureOf('default', [read!.document!], { datasets: [], models: ['twin@1'] }, null, false);
      await notePending(rig.metadataStore, 'default', { document: 'd1' }, erasure);
      await rig.documentStore.delete([{ tenant: 'default', id: 'd1' }]);
    });
    const { exit, result } = await lastLine({ document: 'd1', yes: true });
    expect({ exit, models: result.models }).toEqual({ exit: 0, models: ['twin@1'] });
    expect(result.erased).toMatchObject({ points: 4, artifacts: 1 });
    expect(await holding(secret)).toEqual([]);
  });

  test('refuses while a run is under way, and erases nothing', async () => {
    const holder = currentHolder('twin run nightly');
    await inJournal('state.db', (store) =>
      store.putMany('open-runs', [{ key: 'r1', expectedRevision: null, row: { holder: { ...holder } } }]),
    );
    const { stderr, exit } = await run({ document: 'd1', yes: true }, false);
    expect(exit).toBe(1);
    expect(stderr).toContain('The run r1 is under way and may write what is to be erased');
    expect(await holding(secret)).toContain('documents.db');
  });

  test('names what it cannot find, and wants one thing at a time', async () => {
    expect((await run({ document: 'nope' }, false)).stderr).toContain('The tenant default has no document nope');
    expect(await run({}, false)).toMatchObject({ exit: 2, stderr: expect.stringContaining('Say what to forget, one thing') });
    expect((await run({ document: 'd1', author: 'x' }, false)).exit).toBe(2);
  });
});
