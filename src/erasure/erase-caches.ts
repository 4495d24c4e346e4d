import { type Chunk, embedderInput } from '../contracts/document.ts';
import { forgetEmbeddings } from '../index-sync/embedding-cache.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { holdsTrace, type Trace } from './traces.ts';

const page = 200;

/** What went from the caches. */
export interface ErasedFromCaches {
  readonly rows: number;
  readonly embeddings: number;
}

/**
 * Removes rows of tables that hold a trace, and the embeddings of the chunks among them, of every embedder that is known.
 * Embeddings go first: a death in between leaves the rows that name them.
 */
export async function eraseFromCaches(
  tables: readonly string[],
  traces: readonly Trace[],
  embedders: readonly { readonly identity: string; readonly dimension: number | null }[],
  cache: MetadataStore,
): Promise<ErasedFromCaches> {
  let [rows, embeddings] = [0, 0];
  for (const table of tables) {
    for (let after = ''; ;) {
      const found = await cache.scan(table, '', after, page);
      const traced = found.filter(({ row }) => holdsTrace(JSON.stringify(row), traces));
      const inputs = traced.flatMap(({ row }) => chunksIn(row)).map(embedderInput);
      embeddings += await forgetEmbeddings(inputs, embedders, cache);
      await cache.putMany(
        table,
        traced.map(({ key }) => ({ key, expectedRevision: null, row: null })),
      );
      rows += traced.length;
      const last = found.at(-1);
      if (found.length < page || last === undefined) break;
      after = last.key;
    }
  }
  return { rows, embeddings };
}

/** Rows of a cached result that are chunks. */
function chunksIn(row: unknown): readonly Pick<Chunk, 'headings' | 'text'>[] {
  const { rows = [] } = row as { readonly rows?: readonly unknown[] };
  return rows.filter(
    (one): one is Pick<Chunk, 'headings' | 'text'> => typeof one === 'object' && one !== null && 'headings' in one && 'text' in one,
  );
}
