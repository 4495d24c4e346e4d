import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fakeEmbedder } from '../../src/adapters/embedder/fake.ts';
import { openSqliteVectorIndex } from '../../src/adapters/vector-index/sqlite.ts';
import type { Point, VectorIndex } from '../../src/ports/vector-index.ts';
import { lexicalTerms } from '../../src/text/lexical.ts';
import { examplePoint } from './vector-index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const embedder = fakeEmbedder({ dimension: 64 });
const questions = [
  'Which promise may never be broken?',
  'vectorIndex searchDense',
  'Postgres und Qdrant',
  'the',
  'twin_workers protocol.py',
  'gate refused exit code',
];

/** Paragraphs of this project's own documents as points. */
async function paragraphs(): Promise<readonly Point[]> {
  const root = join(import.meta.dirname, '../..');
  const text = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'].map((file) => readFileSync(join(root, file), 'utf8')).join('\n\n');
  const parts = text.split(/\n\n+/).filter((part) => part.trim() !== '');
  const vectors = await embedder.embed(parts);
  return parts.map((part, n) => Object.assign(examplePoint('doc', n, [...vectors[n]!], { text: part }), { terms: lexicalTerms(part) }));
}

/** The order and scores of dense search, and what sparse search finds, are those of the SQLite index, over real text. */
export function agreesWithSqlite(name: string, open: () => Promise<VectorIndex>): void {
  test(`${name} agrees with SQLite on the order and scores of dense search, and on what sparse search finds`, async () => {
    const points = await paragraphs();
    expect(points.length).toBeGreaterThan(50);
    const indexes: VectorIndex[] = [openSqliteVectorIndex({ file: join(await temporaryFolder(), 'index.db') }), await open()];
    onTestFinished(async () => void (await Promise.all(indexes.map((index) => index.close()))));
    for (const index of indexes) {
      await index.ensure('g', embedder.dimension);
      await index.upsert('g', 'default', points);
    }
    const vectors = await embedder.embed(questions);
    for (const [n, question] of questions.entries()) {
      const terms = lexicalTerms(question);
      const [here, there] = await Promise.all(
        indexes.map(async (index) => ({
          dense: await index.searchDense('g', 'default', { vector: vectors[n]!, limit: points.length }),
          sparse: await index.searchSparse('g', 'default', { terms, limit: points.length }),
        })),
      );
      for (const [rank, { id, score }] of there!.dense.entries()) {
        expect(Math.abs(score - here!.dense[rank]!.score)).toBeLessThan(1e-5);
        // Where two scores are as good as equal, rounding decides which is the first.
        const same = here!.dense.find((hit) => hit.id === id)!;
        expect(Math.abs(score - same.score)).toBeLessThan(1e-5);
      }
      expect(there!.sparse.map(({ id }) => id).toSorted()).toEqual(here!.sparse.map(({ id }) => id).toSorted());
    }
  });
}
