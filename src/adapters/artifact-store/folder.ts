import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, cp, lstat, mkdir, open, readFile, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { canonicalJson, sha256 } from '../../contracts/digest.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { ArtifactStore, StoredContent } from '../../ports/artifact-store.ts';
import { contentsOf, leftoversIn } from './folder-listing.ts';

/** A file of a folder artifact. */
interface ManifestFile {
  /** Relative to the folder, with `/` between names. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** What a folder artifact holds; the sha256 of its canonical JSON is the folder's digest. Folders without a file in them are not kept. */
interface Manifest {
  readonly files: readonly ManifestFile[];
}

type Kind = 'file' | 'folder';

/**
 * Artifacts below one folder of the local disk: `<aa>/<digest>` is a file, `<aa>/<digest>.folder` holds `manifest.json` and `files/`.
 * What is there under its name is whole: content is written and synced under `.staging`, then renamed.
 */
export function openFolderArtifactStore({ folder }: { readonly folder: string }): ArtifactStore {
  const staging = join(folder, '.staging');
  const place = (kind: Kind, digest: string) => join(folder, digest.slice(0, 2), kind === 'file' ? digest : `${digest}.folder`);

  const stage = async () => {
    const path = join(staging, randomUUID());
    await onDisk(path, () => mkdir(path, { recursive: true }));
    return path;
  };

  /** Gives staged content its name; a folder that already stands there whole wins. */
  const settle = async (kind: Kind, staged: string, content: StoredContent) => {
    const now = new Date();
    // Its time says when it was put, not when it was written.
    await utimes(staged, now, now);
    const target = place(kind, content.digest);
    const parent = dirname(target);
    await mkdir(parent, { recursive: true });
    await rename(staged, target).catch(async (error: unknown) => {
      // Only a folder is in the way of another: it stays where it is whole, and makes room where it is broken.
      if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
      if (await whole(kind, target, content.bytes)) return utimes(target, now, now);
      await rename(target, join(await stage(), 'broken'));
      await rename(staged, target);
    });
    await sync(parent);
    await sync(folder);
    await rm(staged, { recursive: true, force: true });
  };

  return {
    capabilities: { shared: false },
    stage,

    putFile: (path) =>
      onDisk(path, async () => {
        const kind = await lstat(path);
        if (!kind.isFile()) throw unsupported(path);
        const staged = join(await stage(), 'file');
        await move(path, staged);
        const content = await seal(staged);
        await settle('file', staged, content);
        await rm(dirname(staged), { recursive: true, force: true });
        return content;
      }),

    putFolder: (path) =>
      onDisk(path, async () => {
        const paths = await filesBelow(path);
        const staged = await stage();
        await move(path, join(staged, 'files'));
        const files: ManifestFile[] = [];
        for (const relative of paths) {
          const { digest, bytes } = await seal(join(staged, 'files', relative));
          files.push({ path: relative, sha256: digest, bytes });
        }
        await syncFoldersBelow(join(staged, 'files'));
        const manifest = canonicalJson({ files } satisfies Manifest);
        await writeFile(join(staged, 'manifest.json'), manifest, { mode: 0o444, flush: true });
        await sync(staged);
        const content = { digest: sha256(manifest), bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
        await settle('folder', staged, content);
        return { ...content, files: files.length };
      }),

    async has(kind, { digest, bytes }, { verify = false } = {}) {
      const target = place(kind, digest);
      if (!(await whole(kind, target, bytes))) return false;
      return !verify || (await digestAt(kind, target)) === digest;
    },

    async read(digest) {
      const target = place('file', digest);
      if (!(await exists(target))) throw missing('file', digest, target);
      return createReadStream(target);
    },

    async localPath(kind, digest) {
      const target = place(kind, digest);
      if (!(await exists(target))) throw missing(kind, digest, target);
      return kind === 'file' ? target : join(target, 'files');
    },

    async remove(kind, digest, { putBefore = Infinity } = {}) {
      const target = place(kind, digest);
      if (!(await wasPutBefore(target, putBefore))) return false;
      // Renamed first, so that a folder that is half removed never stands under its name.
      const removed = join(await stage(), 'removed');
      const gone = await rename(target, removed).then(
        () => true,
        (error: unknown) => (ignoreAbsence(error), false),
      );
      // Whoever put it since the look at it gets it back; where it was put once more meanwhile, this one is too many.
      const stays = gone && !(await wasPutBefore(removed, putBefore));
      if (stays) await rename(removed, target).catch(() => undefined);
      await rm(dirname(removed), { recursive: true, force: true });
      return gone && !stays;
    },

    list: () => contentsOf(folder),
    leftovers: () => leftoversIn(staging),
    removeLeftover: (name) => rm(join(staging, basename(name)), { recursive: true, force: true }),

    close: () => Promise.resolve(),
  };
}

/** Whether content of this size stands at a place: of a folder, every file that its manifest names and no other. */
async function whole(kind: Kind, target: string, bytes: number): Promise<boolean> {
  try {
    if (kind === 'file') {
      const found = await lstat(target);
      return found.isFile() && found.size === bytes;
    }
    const { files } = JSON.parse(await readFile(join(target, 'manifest.json'), 'utf8')) as Manifest;
    if (files.reduce((sum, file) => sum + file.bytes, 0) !== bytes) return false;
    const found = await filesBelow(join(target, 'files'));
    if (found.length !== files.length) return false;
    for (const file of files) if ((await lstat(join(target, 'files', file.path))).size !== file.bytes) return false;
    return true;
  } catch (error) {
    if (isAbsence(error) || error instanceof SyntaxError || error instanceof ProblemError) return false;
    throw error;
  }
}

/** The digest of what really stands at a place. */
async function digestAt(kind: Kind, target: string): Promise<string> {
  if (kind === 'file') return (await hashFile(target)).digest;
  const files: ManifestFile[] = [];
  for (const path of await filesBelow(join(target, 'files'))) {
    const { digest, bytes } = await hashFile(join(target, 'files', path));
    files.push({ path, sha256: digest, bytes });
  }
  return sha256(canonicalJson({ files } satisfies Manifest));
}

/** Relative paths of all files below a folder, sorted; refuses what is neither a file nor a folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (relative: string) => {
    for (const entry of await readdir(join(folder, relative), { withFileTypes: true })) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile()) found.push(path);
      else throw unsupported(join(folder, path));
    }
  };
  await visit('');
  return found.toSorted();
}

/** Whether something stands at a place that was put before a moment. */
async function wasPutBefore(path: string, moment: number): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found !== null && found.mtimeMs < moment;
}

async function syncFoldersBelow(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncFoldersBelow(join(folder, entry.name));
  }
  await sync(folder);
}

/** Puts a file's content, or a folder's list of names, on disk. */
async function sync(path: string): Promise<void> {
  // Syncing needs no right to write.
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a file read-only and puts it on disk; its digest and size. */
async function seal(path: string): Promise<StoredContent> {
  await chmod(path, 0o444);
  const content = await hashFile(path);
  await sync(path);
  return content;
}

async function hashFile(path: string): Promise<StoredContent> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += piece.length;
    }
  });
  return { digest: hash.digest('hex'), bytes };
}

/** Renames, or copies and removes where the two paths are on different file systems. */
async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    await cp(from, to, { recursive: true });
    await rm(from, { recursive: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

function isAbsence(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

function ignoreAbsence(error: unknown): void {
  if (!isAbsence(error)) throw error;
}

function missing(kind: Kind, digest: string, where: string): ProblemError {
  return new ProblemError({
    reason: 'artifact-missing',
    message: `The ${kind} artifact ${digest.slice(0, 12)} is not in the artifact store`,
    where,
    expected: `a ${kind} at that path`,
    found: 'nothing',
    hint: 'Run the pipeline again: a step whose artifacts are gone is done anew.',
    exit: 1,
  });
}

function unsupported(path: string): ProblemError {
  return new ProblemError({
    reason: 'artifact-unsupported',
    message: `${path} cannot be part of an artifact`,
    where: path,
    expected: 'a regular file',
    found: 'a link, a device or another special file',
    hint: 'Copy what it points at into its place.',
    exit: 1,
  });
}

/** Runs work on the disk; a full or read-only disk is a problem that names the path. */
async function onDisk<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    const reason =
      code === 'ENOSPC' || code === 'EDQUOT'
        ? 'disk-full'
        : code === 'EROFS' || code === 'EACCES' || code === 'EPERM'
          ? 'artifact-store-read-only'
          : null;
    if (reason === null) throw error;
    const message = reason === 'disk-full' ? `No space is left to store ${path}` : `${path} cannot be stored`;
    const hint = reason === 'disk-full' ? 'Free some space and run again.' : 'Make the artifact folder writable for this user.';
    throw new ProblemError({ reason, message, where: path, found: (error as Error).message, hint, exit: 1 }, { cause: error });
  }
}
