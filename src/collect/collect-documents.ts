import type { Document } from '../contracts/document.ts';
import type { DocumentStore } from '../ports/document-store.ts';
import type { CollectedSource, Collection } from './collection.ts';
import { DocumentWriter } from './document-writer.ts';
import type { Finding } from './finding.ts';
import { listSource, type SourceListing } from './list-files.ts';
import { readSource, type ReadOptions } from './read-source.ts';
import { settleVanished } from './vanished.ts';

/** Findings, and documents of equal content, that a collection names; the rest are counted. */
const named = 100;

/** What a collection is asked to do. */
export interface CollectOptions extends ReadOptions {
  readonly sources: readonly string[];
  /** The working folder, from which sources and addresses are named. */
  readonly from: string;
  /** Delete what has vanished instead of marking it. */
  readonly prune: boolean;
  readonly signal?: AbortSignal;
  /** Whether a document must not be taken, because it was forgotten. */
  refuses?(document: Document): Promise<boolean>;
  progress?(done: number, total: number): void;
}

/**
 * Reads sources into the document store: new and changed documents are put, equal ones left alone, those that vanished from a source
 * that was read completely are marked or deleted. Sources are read twice, so that of documents with one address only the last is put.
 */
export async function collectDocuments(options: CollectOptions, store: DocumentStore): Promise<Collection> {
  const listings: SourceListing[] = [];
  for (const source of options.sources) listings.push(await listSource(source, options.from));
  const { total, remaining } = await countAddresses(listings, options);
  const seen = new Set(remaining.keys());

  const writer = new DocumentWriter(store, named);
  const rejections: Finding[] = [];
  const sources: CollectedSource[] = [];
  let duplicates = 0;
  let done = 0;
  for (const [index, listing] of listings.entries()) {
    const { kind, ignored } = listing;
    const source = { source: options.sources[index]!, kind, documents: 0, rejected: 0, unsupported: 0, ignored, complete: true };
    const reject = (finding: Finding): void => {
      source.rejected += 1;
      if (rejections.length < named) rejections.push(finding);
    };
    for await (const found of readSource(listing, options)) {
      options.signal?.throwIfAborted();
      if (found.kind === 'unsupported') source.unsupported += 1;
      else if (found.kind === 'lost') {
        source.complete = false;
        reject(found.finding);
      } else {
        options.progress?.((done += 1), total);
        const later = (remaining.get(found.id) ?? 1) - 1;
        remaining.set(found.id, later);
        if (later > 0) {
          duplicates += 1;
          continue;
        }
        const read = await found.read();
        if ('reason' in read) reject(read);
        else if (!(await options.refuses?.(read))) {
          source.documents += 1;
          await writer.put(read);
        }
      }
    }
    sources.push(source);
  }
  await writer.flush();

  const settled = { vanished: 0, restored: 0, removed: 0 };
  for (const [index, { origin }] of listings.entries()) {
    const { complete } = sources[index]!;
    const counts = await settleVanished({ tenant: options.tenant, origin, seen, complete, prune: options.prune }, store);
    settled.vanished += counts.vanished;
    settled.restored += counts.restored;
    settled.removed += counts.removed;
  }
  return {
    documents: sum(sources, 'documents'),
    ...writer.outcomes,
    ...settled,
    duplicates,
    ...writer.equal,
    rejected: sum(sources, 'rejected'),
    rejections,
    sources,
  };
}

/** How many documents the sources name, and how often each id comes. */
async function countAddresses(
  listings: readonly SourceListing[],
  options: CollectOptions,
): Promise<{ total: number; remaining: Map<string, number> }> {
  const remaining = new Map<string, number>();
  let total = 0;
  for (const listing of listings) {
    for await (const found of readSource(listing, options)) {
      options.signal?.throwIfAborted();
      if (found.kind !== 'document') continue;
      total += 1;
      remaining.set(found.id, (remaining.get(found.id) ?? 0) + 1);
    }
  }
  return { total, remaining };
}

function sum(sources: readonly CollectedSource[], key: 'documents' | 'rejected'): number {
  return sources.reduce((total, source) => total + source[key], 0);
}
