import type { Json } from '../contracts/digest.ts';
import type { ChangeFeed, Cursor } from '../ports/change-feed.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { DataTick } from './decide.ts';
import type { Ledger } from './ledger.ts';

/** When a schedule's unprocessed changes were first seen, one row a schedule. Emptying it makes freshness count anew. */
export const watchTable = 'schedule-watch';
const pageSize = 1000;

/** What of a change feed is asked for. */
export interface DataSources {
  readonly feed: Pick<ChangeFeed, 'head' | 'read'>;
  readonly store: MetadataStore;
}

/** Whether documents make a schedule fall due, and how far the feed was when that was asked. */
export interface DataDue {
  readonly due: DataTick | null;
  readonly position: Cursor | null;
}

/** Asks whether enough documents changed since a schedule's last tick, or one of the changes has waited for too long. */
export async function dueByData({ name, spec, position }: Ledger, { feed, store }: DataSources, now: number): Promise<DataDue> {
  if (spec === null || (spec.afterDocuments === null && spec.afterMs === null)) return { due: null, position: null };
  const head = await feed.head(position);
  if (head !== null && position !== null && head.source === position.source && head.change === position.change)
    return { due: null, position: head };
  const changed = await changedDocuments(feed, position, spec.afterDocuments ?? 1);
  const reached = head ?? changed.cursor ?? position;
  const at = reached === null ? '' : `${reached.source} ${reached.change}`;
  if (spec.afterDocuments !== null && changed.documents >= spec.afterDocuments)
    return { due: { trigger: 'documents', key: `documents ${at}` }, position: reached };
  if (spec.afterMs !== null && changed.documents > 0 && now - (await waitingSince(store, name, position, now)) >= spec.afterMs)
    return { due: { trigger: 'freshness', key: `freshness ${at}` }, position: reached };
  return { due: null, position: reached };
}

/** How many documents changed after a position, counted as far as `enough`; a feed that has a gap has changed throughout. */
async function changedDocuments(
  feed: DataSources['feed'],
  from: Cursor | null,
  enough: number,
): Promise<{ readonly documents: number; readonly cursor: Cursor | null }> {
  const keys = new Set<string>();
  for (let cursor = from; ;) {
    const page = await feed.read(cursor, pageSize);
    if (page.kind !== 'changes') return { documents: enough, cursor };
    for (const { key } of page.changes) keys.add(JSON.stringify([key.tenant, key.id]));
    if (keys.size >= enough || !page.more) return { documents: keys.size, cursor: page.cursor };
    cursor = page.cursor;
  }
}

/** Since when changes after a position have waited, as far as anybody has seen. */
async function waitingSince(store: MetadataStore, name: string, position: Cursor | null, now: number): Promise<number> {
  const after = position === null ? '' : `${position.source} ${position.change}`;
  const [row] = await store.get(watchTable, [name]);
  const known = row?.row as { readonly after: string; readonly since: number } | undefined;
  if (known?.after === after) return known.since;
  const seen: Json = { after, since: now };
  await store.putMany(watchTable, [{ key: name, expectedRevision: null, row: seen }]);
  return now;
}
