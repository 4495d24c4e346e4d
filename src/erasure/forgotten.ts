import { digestOf } from '../contracts/digest.ts';
import type { ChunkMaker } from '../index-sync/prepare.ts';
import type { DocumentKey } from '../ports/document-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** Digests of what must not come back; nothing in it says what they were. */
const forgottenTable = 'forgotten';

const documentDigest = ({ tenant, id }: DocumentKey) => digestOf(['document', tenant, id]);
const authorDigest = (tenant: string, author: string) => digestOf(['author', tenant, author]);

/** A document as far as it matters for whether it was forgotten. */
interface Named extends DocumentKey {
  readonly authorId: string | null;
  readonly authorName: string | null;
}

/** Notes, on disk before the promise resolves, that documents and an author shall not come back. */
export async function rememberForgotten(
  store: MetadataStore,
  documents: readonly DocumentKey[],
  author: { readonly tenant: string; readonly name: string } | null,
): Promise<void> {
  const keys = [...documents.map(documentDigest), ...(author ? [authorDigest(author.tenant, author.name)] : [])];
  const writes = keys.map((key) => ({ key, expectedRevision: null, row: {} }));
  await store.putMany(forgottenTable, writes, 'power');
}

/** Which of some documents were forgotten, themselves or with their author, in their order. */
export async function areForgotten(store: MetadataStore, documents: readonly Named[]): Promise<readonly boolean[]> {
  const keys = documents.map((document) => [
    documentDigest(document),
    ...[document.authorId, document.authorName].flatMap((author) => (author === null ? [] : [authorDigest(document.tenant, author)])),
  ]);
  const flat = keys.flat();
  const rows = flat.length === 0 ? [] : await store.get(forgottenTable, flat);
  const known = new Set(flat.filter((_, at) => rows[at] !== null));
  return keys.map((own) => own.some((key) => known.has(key)));
}

/** Makes no chunks of a document that was forgotten, wherever it still comes from, and counts it. */
export function withoutForgotten(maker: ChunkMaker, store: MetadataStore, count?: (name: string, amount: number) => void): ChunkMaker {
  return {
    async clean(document) {
      if (!(await areForgotten(store, [document]))[0]) return await maker.clean(document);
      count?.('forgotten', 1);
      return [];
    },
    chunk: (document) => maker.chunk(document),
  };
}
