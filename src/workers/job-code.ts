import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { digestOf, sha256 } from '../contracts/digest.ts';
import type { CodeParts } from '../contracts/digest-parts.ts';

const lockName = 'requirements.lock';

/**
 * Names a job's code: the digest of the lock file, of the protocol and the keeper, of the job's file,
 * and of everything in `twin_workers` that these import.
 */
export async function jobCodeDigest(workersFolder: string, job: string): Promise<string> {
  const { modules, packages } = await jobCodeParts(workersFolder, job);
  return digestOf({ lock: packages[lockName], files: modules });
}

/** The hashes of a job's files and of the lock, by their name within the folder of the workers. */
export async function jobCodeParts(workersFolder: string, job: string): Promise<CodeParts> {
  const package_ = join(workersFolder, 'twin_workers');
  const modules: Record<string, string> = {};
  const seen = new Set<string>();
  const waiting = ['protocol.py', 'keeper.py', join('jobs', `${job.replaceAll('-', '_')}.py`)].map((name) => join(package_, name));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const source = readSource(path, workersFolder);
    if (source === null) continue;
    modules[relative(workersFolder, path)] = source.hash;
    waiting.push(...source.imports);
  }
  const lock = sha256(await readFile(join(workersFolder, lockName)));
  return { modules, packages: { [lockName]: lock } };
}

interface Source {
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly hash: string;
  /** Paths that it may import, most of which are not there. */
  readonly imports: readonly string[];
}

/** Sources as they were last read: jobs share most of theirs, and a plan asks for the code of every job. */
const sources = new Map<string, Source>();

/** A file and what it imports; null where there is none. Read at once, as a plan would wait for hundreds of turns otherwise. */
function readSource(path: string, workersFolder: string): Source | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return null;
  const known = sources.get(path);
  if (known?.bytes === stats.size && known.modifiedMs === stats.mtimeMs) return known;
  const text = readFileSync(path, 'utf8');
  const imports = importedFiles(text, path, workersFolder);
  const source = { bytes: stats.size, modifiedMs: stats.mtimeMs, hash: sha256(text), imports };
  sources.set(path, source);
  return source;
}

/** Files that imports may mean, most of which do not exist: `from a.b import c` is `a/b.py`, `a/b/__init__.py` or `a/b/c.py`. */
function importedFiles(source: string, importer: string, workersFolder: string): string[] {
  const statements = source.matchAll(/^[ \t]*(?:from\s+(\.*[\w.]*)\s+import\s+(\([^)]*\)|[^\n#]*)|import\s+([^\n#]*))/gm);
  return [...statements].flatMap(([, module, names, modules]) => {
    if (module === undefined) {
      return modules!.split(',').flatMap((name) => modulePaths(name.trim().split(/\s/)[0]!, importer, workersFolder));
    }
    const imported = names!
      .replaceAll(/[()]|#.*/g, '')
      .split(',')
      .map((name) => name.trim().split(/\s/)[0]!);
    return [
      module,
      ...imported.filter((name) => name !== '').map((name) => (module.endsWith('.') ? module + name : `${module}.${name}`)),
    ].flatMap((name) => modulePaths(name, importer, workersFolder));
  });
}

function modulePaths(module: string, importer: string, workersFolder: string): string[] {
  const dots = /^\.*/.exec(module)![0].length;
  const parts = module
    .slice(dots)
    .split('.')
    .filter((part) => part !== '');
  if (dots === 0 && parts[0] !== 'twin_workers') return [];
  let base = dots === 0 ? workersFolder : dirname(importer);
  for (let level = 1; level < dots; level += 1) base = dirname(base);
  const path = join(base, ...parts);
  return [`${path}.py`, join(path, '__init__.py')];
}
