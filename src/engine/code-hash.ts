import { statSync } from 'node:fs';
import { sha256 } from '../contracts/digest.ts';
import type { CodeParts } from '../contracts/digest-parts.ts';
import type { Result } from '../contracts/problem.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** Where code hashes are kept, in the cache: may be emptied at any time. */
export const codeHashTable = 'code-hashes';

/** What code hashes were made of, by hash: apart from the hashes, as only an explanation reads it. */
const codePartsTable = 'code-parts';

/** A file of a module's graph as it was when the hash was made. */
type FileStamp = readonly [path: string, bytes: number, modifiedMs: number];

interface CodeHashRow {
  readonly hash: string;
  readonly files: readonly FileStamp[];
}

/** Hashes the code of step modules; one for a plan or a run, as it looks at each file once. */
export interface CodeHasher {
  /** Reads what is known of all these modules in one go. */
  prime(modules: readonly string[]): Promise<void>;
  /** The sha256 of the module's bundle; comments, format and unused code do not change it, whatever it imports does. */
  hash(module: string): Promise<Result<string>>;
  /** What a hash that was made by this cache was made of; null where that is not known any more. */
  parts(hash: string): Promise<CodeParts | null>;
}

/** Hashes step modules, remembering hashes by path, size and time of every file in a module's graph. */
export function codeHasher(cache: MetadataStore): CodeHasher {
  const stamps = new Map<string, FileStamp | null>();
  const known = new Map<string, CodeHashRow | null>();
  const hashes = new Map<string, Promise<Result<string>>>();

  const stamp = (path: string): FileStamp | null => {
    let found = stamps.get(path);
    if (found === undefined) {
      const stats = statSync(path, { throwIfNoEntry: false });
      found = stats ? [path, stats.size, stats.mtimeMs] : null;
      stamps.set(path, found);
    }
    return found;
  };
  const isCurrent = ([path, bytes, modifiedMs]: FileStamp): boolean => {
    const now = stamp(path);
    return now !== null && now[1] === bytes && now[2] === modifiedMs;
  };
  const prime = async (modules: readonly string[]): Promise<void> => {
    const wanted = [...new Set(modules)].filter((module) => !known.has(module));
    const rows = await cache.get(codeHashTable, wanted);
    for (const [index, module] of wanted.entries()) known.set(module, (rows[index]?.row as CodeHashRow | undefined) ?? null);
  };
  const compute = async (module: string): Promise<Result<string>> => {
    await prime([module]);
    const row = known.get(module);
    if (row?.files.every(isCurrent)) return { ok: true, value: row.hash };
    const { bundleModule } = await import('./bundle.ts');
    const bundle = await bundleModule(module);
    if (!bundle.ok) return bundle;
    const fresh: CodeHashRow = { hash: sha256(bundle.value.code), files: bundle.value.files.map(stamp).filter((found) => found !== null) };
    await Promise.all([
      cache.putMany(codeHashTable, [{ key: module, expectedRevision: null, row: { ...fresh } }]),
      cache.putMany(codePartsTable, [{ key: fresh.hash, expectedRevision: null, row: bundle.value.parts }]),
    ]);
    return { ok: true, value: fresh.hash };
  };

  return {
    prime,
    hash: (module) => {
      let hash = hashes.get(module);
      if (!hash) hashes.set(module, (hash = compute(module)));
      return hash;
    },
    async parts(hash) {
      const [row] = await cache.get(codePartsTable, [hash]);
      return row ? (row.row as unknown as CodeParts) : null;
    },
  };
}
