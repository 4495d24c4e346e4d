import type { MetadataStore } from '../../../src/ports/metadata-store.ts';

/** When a server is killed: before it hears of a write, while it takes it, or once it has acknowledged it. */
export const moments = ['before', 'during', 'behind'] as const;

/** What befalls the server whose kill is tried. */
export interface Blows {
  /** Whether the server shall die at a point, and when; asked once for each. */
  readonly due: (point: string) => (typeof moments)[number] | null;
  /** Kills the server; resolves when it is gone, and has it started again meanwhile. */
  readonly kill: () => Promise<void>;
}

/**
 * A store whose server, or another one, dies at points: one for every record and every row, named in the order in which they are written.
 * What is written together may as well have been written apart, so a point within it parts it.
 */
export function withStrikes(store: MetadataStore, subject: string, { due, kill }: Blows): MetadataStore {
  const counts = new Map<string, number>();
  const next = (name: string): string => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return `${subject} ${name} ${count}`;
  };
  /** Writes items in parts that end where the server dies; `write` is given the part and how many came before it. */
  const inParts = async <Item, Outcome>(
    items: readonly Item[],
    name: (item: Item) => string,
    write: (part: readonly Item[], before: number) => Promise<Outcome>,
  ): Promise<readonly Outcome[]> => {
    const fates = items.map((item) => due(next(name(item))));
    const outcomes: Outcome[] = [];
    let from = 0;
    while (from < items.length || outcomes.length === 0) {
      const at = fates.findIndex((fate, index) => index >= from && fate !== null);
      const to = at < 0 ? items.length : at + 1;
      const part = items.slice(from, to);
      const fate = at < 0 ? null : fates[at]!;
      if (fate === 'before') await kill();
      const [outcome] = await Promise.all([write(part, from), fate === 'during' ? kill() : null]);
      if (fate === 'behind') await kill();
      outcomes.push(outcome);
      from = to;
    }
    return outcomes;
  };
  return {
    ...store,
    async append(stream, expectedSeq, records, durability) {
      const parts = await inParts(
        records,
        (record) => `record ${(record as { type: string }).type}`,
        (part, before) => store.append(stream, expectedSeq === null ? null : expectedSeq + before, part, durability),
      );
      return parts.find((part) => !part.ok) ?? parts.at(-1)!;
    },
    async putMany(table, writes, durability) {
      const parts = await inParts(
        writes,
        () => `row of ${table.startsWith('rows:') ? 'rows' : table}`,
        (part) => store.putMany(table, part, durability),
      );
      return parts.flat();
    },
  };
}
