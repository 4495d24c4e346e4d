import { join } from 'node:path';
import { openSqliteChangeFeed } from '../../src/adapters/change-feed/sqlite.ts';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { openSqliteVectorIndex } from '../../src/adapters/vector-index/sqlite.ts';
import { openSqliteDocumentStore } from '../../src/adapters/document-store/sqlite.ts';
import type { Chunk, CleanDocument, RevisedDocument, StoredDocument } from '../../src/contracts/document.ts';
import type { IndexState } from '../../src/contracts/index-state.ts';
import type { Embedder } from '../../src/ports/embedder.ts';
import { DeadLetters } from '../../src/index-sync/dead-letters.ts';
import { followChanges, type SyncOptions, type SyncPorts } from '../../src/index-sync/sync.ts';
import { verifyIndex } from '../../src/index-sync/verify.ts';
import type { ChunkMaker } from '../../src/index-sync/prepare.ts';
import type { ChangeFeed } from '../../src/ports/change-feed.ts';
import type { DocumentStore } from '../../src/ports/document-store.ts';
import { hashEmbedder } from '../support/hash-embedder.ts';
import { oracleDifferences } from '../support/index-oracle.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';
import { memoryVectorIndex } from '../support/memory-vector-index.ts';

/** Cleans by trimming, drops what is blank, and cuts one chunk a line. */
export const lineMaker: ChunkMaker = {
  async clean({ content, revision, id, ...document }: RevisedDocument): Promise<readonly CleanDocument[]> {
    const { tenant, address, title, contentType, language, authorId, authorName, platform } = document;
    if (content.trim() === '') return [];
    const sources = [{ document: id, revision }];
    return [
      { id, tenant, sources, address, title, text: content.trim(), contentType, language, authorId, authorName, platform, dropped: {} },
    ];
  },
  async chunk({ id, text, language: _language, dropped: _dropped, ...document }: CleanDocument): Promise<readonly Chunk[]> {
    const chunks: Chunk[] = [];
    for (const line of text.split('\n')) {
      const start = (chunks.at(-1)?.end ?? -1) + 1;
      chunks.push({
        ...document,
        document: id,
        ordinal: chunks.length,
        text: line,
        start,
        end: start + [...line].length,
        tokens: 1,
        headings: [],
      });
    }
    return chunks;
  },
};

/** Where documents and their changes come from. */
export interface RigSource {
  readonly documentStore: DocumentStore;
  readonly changeFeed: ChangeFeed;
}

/** Everything that an index is kept in step with under `folder`: documents in a file, the rest in memory, or all in files where `onDisk` says so. */
export function openRig(folder: string, { onDisk = false, source }: { readonly onDisk?: boolean; readonly source?: RigSource } = {}) {
  const file = join(folder, 'documents.db');
  const { documentStore, changeFeed } = source ?? {
    documentStore: openSqliteDocumentStore({ file }),
    changeFeed: openSqliteChangeFeed({ file }),
  };
  let broken: string | null = null;
  const embedder = hashEmbedder();
  const ports = {
    documentStore,
    changeFeed,
    embedder: {
      ...embedder,
      embed: async (texts: readonly string[]) => {
        const vectors = await embedder.embed(texts);
        return vectors.map((vector, at) => (texts[at] === broken ? vector.with(0, Number.NaN) : vector));
      },
    },
    metadataStore: onDisk ? openSqliteMetadataStore({ file: join(folder, 'state.db') }) : memoryMetadataStore(),
    vectorIndex: onDisk ? openSqliteVectorIndex({ file: join(folder, 'index.db') }) : memoryVectorIndex(),
  } satisfies SyncPorts;
  const options: SyncOptions = {
    ...lineMaker,
    index: 'main',
    fingerprint: { clean: 'clean-1', chunk: 'chunk-1', tokenizer: 'words', embedder: ports.embedder.identity, terms: 'words-1' },
    terms: (text) => text.split(' '),
    rescan: false,
  };
  const sync = async (
    change: Partial<SyncOptions>,
    through: SyncPorts,
  ): Promise<IndexState & { readonly counts: Record<string, number> }> => {
    const counts: Record<string, number> = {};
    const count = (name: string, amount: number): void => void (counts[name] = (counts[name] ?? 0) + amount);
    return { ...(await followChanges({ ...options, count, ...change }, through)).state, counts };
  };
  return {
    ...ports,
    ports,
    fingerprint: options.fingerprint,
    options,
    /** The embedder gives no vector for this text. */
    breakVectorsOf: (text: string | null) => void (broken = text),
    async deadLetters(): Promise<DeadLetters> {
      return new DeadLetters(ports.metadataStore, (await ports.vectorIndex.alias('main'))!);
    },
    async close() {
      for (const port of [documentStore, changeFeed, ports.metadataStore, ports.vectorIndex]) await port.close();
    },
    /** Brings the index in step; gives its state and what was counted. */
    sync: (change: Partial<SyncOptions> = {}) => sync(change, ports),
    /** The same stores, seen by a process with another embedder. */
    withEmbedder: (embedder: Embedder) => ({ sync: (change: Partial<SyncOptions> = {}) => sync(change, { ...ports, embedder }) }),
    verify: (sample?: number) => verifyIndex({ index: 'main', ...lineMaker, ...(sample !== undefined && { sample }) }, ports),
    /** Points in which the index differs from the documents, whatever the ledger says meanwhile. */
    async pointDifferences(): Promise<readonly string[]> {
      return (await this.differences()).filter((line) => /^(missing|different|stale)/.test(line));
    },
    /** Everything in which the index differs from the documents, worked out anew. */
    async differences(dead: ReadonlySet<string> = new Set()): Promise<readonly string[]> {
      const documents: StoredDocument[] = [];
      for (
        let page = await documentStore.scan({ limit: 500 });
        page.length > 0;
        page = await documentStore.scan({ limit: 500, after: documents.at(-1)! })
      )
        documents.push(...page);
      return oracleDifferences({ ...ports, embedder: hashEmbedder(), index: 'main', documents, maker: lineMaker, dead });
    },
  };
}
export type Rig = ReturnType<typeof openRig>;
