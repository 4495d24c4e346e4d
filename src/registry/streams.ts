import type { MetadataStore } from '../ports/metadata-store.ts';

/** The names of all streams with a prefix, sorted. */
export async function streamsWith(store: MetadataStore, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const page = await store.streams(prefix, names.at(-1) ?? '', 1000);
    names.push(...page);
    if (page.length < 1000) return names;
  }
}
