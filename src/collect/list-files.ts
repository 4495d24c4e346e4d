import { execFile } from 'node:child_process';
import { lstat, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { digestOf } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { Finding } from './finding.ts';
import { codeOf } from './read-text.ts';

/** A file of a source. */
export interface SourceFile {
  readonly path: string;
  /** Where it lives: `file:` and its path from the working folder, absolute outside of it. */
  readonly address: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** A source as it lies on the disk: a file, a folder, or the working tree of a git repository. */
export interface SourceListing {
  readonly kind: 'file' | 'folder' | 'git';
  /** Names the source for ever: its address, without `file:`. */
  readonly origin: string;
  /** Sorted by address. */
  readonly files: readonly SourceFile[];
  /** What could not be listed; then the source was not read completely. */
  readonly findings: readonly Finding[];
  /** Hidden, linked and installed files that were left out. */
  readonly ignored: number;
}

/** Lists the files of a source; a source that does not exist is a problem. `from` is the working folder. */
export async function listSource(source: string, from: string): Promise<SourceListing> {
  const root = resolve(from, source);
  const found = await stat(root).catch((error: unknown) => {
    throw new ProblemError({
      reason: 'source-not-found',
      message: codeOf(error) === 'ENOENT' ? `The source ${source} does not exist` : `The source ${source} cannot be read: ${codeOf(error)}`,
      where: root,
      hint: 'Name files and folders that exist: twin collect PATH…',
      exit: 2,
    });
  });
  const origin = placeOf(root, from);
  if (!found.isDirectory()) {
    const file = { path: root, address: `file:${origin}`, size: found.size, modifiedMs: found.mtimeMs };
    return { kind: 'file', origin, files: [file], findings: [], ignored: 0 };
  }
  const listing = { paths: [] as string[], findings: [] as Finding[], ignored: 0 };
  const isGit = (await lstat(join(root, '.git')).catch(() => null)) !== null;
  if (isGit) await listGit(root, origin, listing);
  else await walk(root, from, listing);
  const files: SourceFile[] = [];
  for (const path of listing.paths) {
    const entry = await lstat(path).catch(() => null);
    // Git also lists tracked files that are no longer there, and links.
    if (entry?.isFile()) files.push({ path, address: `file:${placeOf(path, from)}`, size: entry.size, modifiedMs: entry.mtimeMs });
    else if (entry !== null) listing.ignored += 1;
  }
  files.sort((one, other) => (one.address < other.address ? -1 : 1));
  return { kind: isGit ? 'git' : 'folder', origin, files, findings: listing.findings, ignored: listing.ignored };
}

/** A token of what lies in the sources now: paths, sizes and times of change. */
export async function sourcesToken(sources: readonly string[], from: string): Promise<string> {
  const listings = [];
  for (const source of sources) {
    const { origin, files, findings } = await listSource(source, from);
    listings.push([origin, digestOf(files.map(({ address, size, modifiedMs }) => [address, size, modifiedMs])), findings.length]);
  }
  return digestOf(listings);
}

interface Found {
  readonly paths: string[];
  readonly findings: Finding[];
  ignored: number;
}

async function listGit(root: string, origin: string, found: Found): Promise<void> {
  try {
    const { stdout } = await promisify(execFile)('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '-z'], {
      cwd: root,
      maxBuffer: 1 << 30,
    });
    for (const path of stdout.split('\0')) if (path !== '') found.paths.push(join(root, path));
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n')[0] : '';
    const message = `${origin} is a git working tree that git cannot list: ${said || codeOf(error)}`;
    found.findings.push({ address: `file:${origin}`, reason: 'unreadable', message });
  }
}

async function walk(folder: string, from: string, found: Found): Promise<void> {
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.') || entry.name === 'node_modules' || entry.isSymbolicLink()) found.ignored += 1;
      else if (entry.isDirectory()) await walk(path, from, found);
      else if (entry.isFile()) found.paths.push(path);
      else found.ignored += 1;
    }
  } catch (error) {
    const address = `file:${placeOf(folder, from)}`;
    found.findings.push({ address, reason: 'unreadable', message: `${address} cannot be listed: ${codeOf(error)}` });
  }
}

/** A path as it is written from the working folder, with slashes; absolute outside of it. */
function placeOf(path: string, from: string): string {
  const inside = relative(from, path);
  const place = inside === '' ? '.' : inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside) ? path : inside;
  return place.split(sep).join('/');
}
