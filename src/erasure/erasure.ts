import type { Json } from '../contracts/digest.ts';
import { digestOf } from '../contracts/digest.ts';
import type { StoredDocument } from '../contracts/document.ts';
import type { DocumentKey } from '../ports/document-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { type Trace, tracesOf } from './traces.ts';

/** Erasures that have begun and not ended: it holds in clear what is to be forgotten, until it is. */
const pendingTable = 'erasures';

/** What is to be forgotten: one document, or all of an author. */
export type Selector = { readonly document: string } | { readonly author: string };

/** An erasure with everything that it takes to finish it, after the documents themselves are gone. */
export interface Erasure {
  readonly tenant: string;
  readonly keys: readonly DocumentKey[];
  readonly traces: readonly { readonly what: Trace['what']; readonly text: string }[];
  readonly datasets: readonly string[];
  readonly models: readonly string[];
}

const keyOf = (tenant: string, selector: Selector) => digestOf([tenant, selector as unknown as Json]);

/** An erasure that died before its end; null where there is none. */
export async function pendingErasure(store: MetadataStore, tenant: string, selector: Selector): Promise<Erasure | null> {
  const [row] = await store.get(pendingTable, [keyOf(tenant, selector)]);
  return (row?.row as unknown as Erasure | undefined) ?? null;
}

/** The erasure of documents, together with one that died. */
export function erasureOf(
  tenant: string,
  documents: readonly StoredDocument[],
  found: Pick<Erasure, 'datasets' | 'models'>,
  pending: Erasure | null,
  withAuthor: boolean,
): Erasure {
  const traces = documents
    .flatMap((document) => tracesOf(document, withAuthor))
    .map(({ what, bytes }) => ({ what, text: bytes.toString() }));
  const keys = [...documents.map(({ id }) => ({ tenant, id })), ...(pending?.keys ?? [])];
  return {
    tenant,
    keys: [...new Map(keys.map((key) => [key.id, key])).values()],
    traces: [...new Map([...traces, ...(pending?.traces ?? [])].map((trace) => [`${trace.what} ${trace.text}`, trace])).values()],
    datasets: [...new Set([...found.datasets, ...(pending?.datasets ?? [])])],
    models: [...new Set([...found.models, ...(pending?.models ?? [])])],
  };
}

/** Notes an erasure before its first deletion, or that it is over. */
export async function notePending(store: MetadataStore, tenant: string, selector: Selector, erasure: Erasure | null): Promise<void> {
  const row = erasure as unknown as Json | null;
  await store.putMany(pendingTable, [{ key: keyOf(tenant, selector), expectedRevision: null, row }], 'power');
}

/** An erasure's traces as they are searched for. */
export function tracesIn(erasure: Erasure): readonly Trace[] {
  return erasure.traces.map(({ what, text }) => ({ what, bytes: Buffer.from(text) }));
}
