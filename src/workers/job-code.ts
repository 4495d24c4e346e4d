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
  const files = new Map<string, string>();
  const waiting = ['protocol.py', 'keeper.py', join('jobs', `${job.replaceAll('-', '_')}.py`)].map((name) => join(package_, name));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.has(path)) continue;
    const source = await readFile(path, 'utf8').catch(() => null);
    if (source === null) continue;
    files.set(path, source);
    waiting.push(...importedFiles(source, path, workersFolder));
  }
  const hashes = [...files].map(([path, source]) => [relative(workersFolder, path), sha256(source)]);
  const lock = sha256(await readFile(join(workersFolder, lockName)));
  return { modules: Object.fromEntries(hashes) as Record<string, string>, packages: { [lockName]: lock } };
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
