import type { MetadataStore } from '../ports/metadata-store.ts';

/** Tables of this prefix may be emptied at any time. */
const cachePrefix = 'cache:';

/** One metadata store for steps: tables that are caches lie in a store of their own, everything else in the journal. */
export function withCacheTables(journal: MetadataStore, cache: MetadataStore): MetadataStore {
  const of = (table: string) => (table.startsWith(cachePrefix) ? cache : journal);
  return {
    capabilities: journal.capabilities,
    append: (stream, expectedSeq, records, durability) => journal.append(stream, expectedSeq, records, durability),
    read: (stream, fromSeq) => journal.read(stream, fromSeq),
    streams: (prefix, after, limit) => journal.streams(prefix, after, limit),
    putMany: (table, writes, durability) => of(table).putMany(table, writes, durability),
    get: (table, keys) => of(table).get(table, keys),
    scan: (table, prefix, after, limit, order) => of(table).scan(table, prefix, after, limit, order),
    clear: (table) => of(table).clear(table),
    async purge(before, options) {
      const [ofJournal, ofCache] = [await journal.purge(before, options), await cache.purge(before, options)];
      return { rows: ofJournal.rows + ofCache.rows, bytes: ofJournal.bytes + ofCache.bytes };
    },
    now: () => journal.now(),
    async close() {
      await journal.close();
      await cache.close();
    },
  };
}
