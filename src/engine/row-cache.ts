import { readFile } from 'node:fs/promises';
import { type Json, canonicalJson } from '../contracts/digest.ts';
import type { Problem } from '../contracts/problem.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore, RowWrite } from '../ports/metadata-store.ts';
import { storeText } from './store-text.ts';

/** Results longer than this, in characters of JSON, lie in the artifact store. */
const inlineLimit = 64 * 1024;
/** Fresh results are committed when there are so many, or when the oldest has waited so long. */
const commitAtMost = 128;
const commitAfterMs = 300;

/** Names of the tables of cached rows, by the identity of the map step: what may be emptied. */
export const rowTablesTable = 'row-tables';

/** What a map step made of one row: rows, or the reason for which it was left out; and what it counted. */
export interface RowResult {
  readonly rows: readonly Json[];
  readonly dropped?: string;
  readonly counts?: Readonly<Record<string, number>>;
  /** Why the row could not be mapped, where the step tolerates that; never cached. */
  readonly failed?: Problem;
}

type CachedRow = RowResult | { readonly stored: string };

/** Results by the digest of the row, for one map step with one code, params and ports. */
export interface RowCache {
  /** Known results, in the order of the keys; null where there is none. */
  find(keys: readonly string[]): Promise<readonly (RowResult | null)[]>;
  /** Takes a fresh result; commits those that have gathered when it is time. */
  add(key: string, result: RowResult): Promise<void>;
  /** Commits all that was taken. */
  commit(): Promise<void>;
}

/** Opens the row cache of a map step. A result whose file is gone is computed again. */
export function openRowCache(cache: MetadataStore, artifacts: ArtifactStore, step: string, identity: string): RowCache {
  const table = `rows:${identity}`;
  let gathered: RowWrite[] = [];
  let lastCommit = performance.now();
  let registered = false;

  const load = async (cached: CachedRow): Promise<RowResult | null> => {
    if (!('stored' in cached)) return cached;
    try {
      return JSON.parse(await readFile(await artifacts.localPath('file', cached.stored), 'utf8')) as RowResult;
    } catch {
      return null;
    }
  };
  const commit = async (): Promise<void> => {
    const writes = gathered;
    gathered = [];
    lastCommit = performance.now();
    if (writes.length === 0) return;
    if (!registered) await cache.putMany(rowTablesTable, [{ key: table, expectedRevision: null, row: { step } }]);
    registered = true;
    await cache.putMany(table, writes);
  };
  return {
    commit,
    async find(keys) {
      const rows = await cache.get(table, keys);
      return Promise.all(rows.map(async (row) => (row ? load(row.row as unknown as CachedRow) : null)));
    },
    async add(key, result) {
      const text = canonicalJson(result);
      let cached: CachedRow = result;
      if (text.length > inlineLimit) {
        cached = { stored: (await storeText(artifacts, text)).digest };
      }
      gathered.push({ key, expectedRevision: null, row: cached as unknown as Json });
      if (gathered.length >= commitAtMost || performance.now() - lastCommit > commitAfterMs) await commit();
    },
  };
}
