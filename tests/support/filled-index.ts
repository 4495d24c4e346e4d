import { sha256 } from '../../src/contracts/digest.ts';
import { embedderAlias } from '../../src/contracts/index-state.ts';
import type { Embedder } from '../../src/ports/embedder.ts';
import type { VectorIndex } from '../../src/ports/vector-index.ts';
import { memoryVectorIndex } from './memory-vector-index.ts';

/** An index `documents` of one chunk a text, in documents `d0`, `d1`, … of the tenant `default`. */
export async function indexOf(texts: readonly string[], embedder: Embedder): Promise<VectorIndex> {
  const index = memoryVectorIndex();
  await index.ensure('documents-1', embedder.dimension);
  const vectors = await embedder.embed(texts);
  const points = texts.map((text, at) => ({
    id: `p${at}`,
    version: 1,
    vector: vectors[at]!,
    terms: text.toLowerCase().match(/\w+/g) ?? [],
    payloadHash: sha256(text),
    payload: {
      document: `d${at}`,
      tenant: 'default',
      ordinal: 0,
      text,
      start: 0,
      end: text.length,
      tokens: 5,
      headings: ['Heading'],
      sources: [{ document: `d${at}`, revision: sha256(text) }],
      address: `file:d${at}.md`,
      title: null,
      contentType: 'markdown' as const,
      authorId: null,
      authorName: null,
      platform: 'file',
    },
  }));
  await index.upsert('documents-1', 'default', points);
  await index.moveAlias('documents', null, 'documents-1');
  await index.moveAlias(embedderAlias('documents', embedder.identity), null, 'documents-1');
  return index;
}
