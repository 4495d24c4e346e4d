import type { Json } from '../../src/contracts/digest.ts';
import type { MetadataStore, StreamRecord, TableRow } from '../../src/ports/metadata-store.ts';

/** A metadata store that forgets everything with the process; counts its calls by method. */
export function memoryMetadataStore(clock: () => number = Date.now): MetadataStore & { readonly calls: Record<string, number> } {
  const streamsByName = new Map<string, StreamRecord[]>();
  const tables = new Map<string, Map<string, TableRow & { readonly expiresAt: number }>>();
  const calls: Record<string, number> = {};
  const called = (name: string) => void (calls[name] = (calls[name] ?? 0) + 1);
  const copy = (value: Json): Json => JSON.parse(JSON.stringify(value)) as Json;
  const live = (table: string, key: string) => {
    const row = tables.get(table)?.get(key);
    return row && row.expiresAt > clock() ? row : undefined;
  };

  return {
    calls,
    capabilities: { shared: false },
    async append(stream, expectedSeq, records) {
      called('append');
      const existing = streamsByName.get(stream) ?? [];
      if (expectedSeq !== null && expectedSeq !== existing.length) return { ok: false, actual: existing.length };
      for (const data of records) existing.push({ seq: existing.length + 1, at: clock(), data: copy(data) });
      streamsByName.set(stream, existing);
      return { ok: true, seq: existing.length };
    },
    async read(stream, fromSeq) {
      called('read');
      return (streamsByName.get(stream) ?? []).slice(fromSeq);
    },
    async streams(prefix, after, limit) {
      return [...streamsByName.keys()]
        .filter((name) => name.startsWith(prefix) && name > after)
        .toSorted()
        .slice(0, limit);
    },
    async putMany(table, writes) {
      called('putMany');
      const rows = tables.get(table) ?? new Map<string, TableRow & { readonly expiresAt: number }>();
      tables.set(table, rows);
      return writes.map(({ key, expectedRevision, row, expiresInMs }) => {
        const revision = live(table, key)?.revision ?? 0;
        if (expectedRevision !== null && expectedRevision !== revision) return { ok: false, actual: revision };
        if (row === null) rows.delete(key);
        else
          rows.set(key, {
            key,
            revision: revision + 1,
            row: copy(row),
            expiresAt: expiresInMs === undefined ? Infinity : clock() + expiresInMs,
          });
        return { ok: true, revision: revision + 1 };
      });
    },
    async get(table, keys) {
      called('get');
      return keys.map((key) => live(table, key) ?? null);
    },
    async scan(table, prefix, after, limit, order = 'ascending') {
      called('scan');
      const within = (key: string): boolean => (order === 'ascending' ? key > after : after === '' || key < after);
      const keys = [...(tables.get(table)?.keys() ?? [])].filter((key) => key.startsWith(prefix) && within(key)).toSorted();
      return (order === 'ascending' ? keys : keys.toReversed())
        .map((key) => live(table, key))
        .filter((row) => row !== undefined)
        .slice(0, limit);
    },
    async clear(table) {
      tables.delete(table);
    },
    async purge(before, { dryRun = false } = {}) {
      let rows = 0;
      for (const table of tables.values()) {
        for (const [key, row] of table) {
          if (row.expiresAt >= before) continue;
          rows++;
          if (!dryRun) table.delete(key);
        }
      }
      return { rows, bytes: 0 };
    },
    async now() {
      return clock();
    },
    async close() {},
  };
}
