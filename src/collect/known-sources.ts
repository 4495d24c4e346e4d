import type { MetadataStore } from '../ports/metadata-store.ts';

const sourcesTable = 'sources';

/** The sources that were collected before, sorted: what a collection reads again when it is given none. */
export async function knownSources(store: MetadataStore): Promise<string[]> {
  const rows = await store.scan(sourcesTable, '', '', 10_000);
  return rows.map(({ key }) => key);
}

/** Remembers sources for collections to come. */
export async function rememberSources(store: MetadataStore, sources: readonly string[]): Promise<void> {
  await store.putMany(
    sourcesTable,
    sources.map((key) => ({ key, expectedRevision: null, row: {} })),
  );
}
