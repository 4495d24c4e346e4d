import { createReadStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../contracts/digest.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { ArtifactStore, StoredContent, StoredEntry } from '../../ports/artifact-store.ts';
import { openFolderArtifactStore } from './folder.ts';
import { S3Bucket, type S3Options } from './s3-bucket.ts';

type Kind = 'file' | 'folder';

const Manifest = z.object({ files: z.array(z.object({ path: z.string(), sha256: z.string(), bytes: z.number() })) });
type Manifest = z.output<typeof Manifest>;

const filesAtOnce = 4;

/**
 * Artifacts in an S3 bucket: `files/<digest>`, and `folders/<digest>/` with its files and, written last, `manifest.json`.
 * A folder of the local disk holds what this host has put or fetched: it may be emptied whenever nothing runs. What was fetched
 * gets its name only once its hash is right.
 */
export function openS3ArtifactStore({ cacheFolder, ...options }: S3Options & { readonly cacheFolder: string }): ArtifactStore {
  const bucket = new S3Bucket(options);
  const local = openFolderArtifactStore({ folder: cacheFolder });
  const fileKey = (digest: string) => `files/${digest}`;
  const folderKey = (digest: string) => `folders/${digest}/`;
  const manifestKey = (digest: string) => `${folderKey(digest)}manifest.json`;
  const memberKey = (digest: string, path: string) => `${folderKey(digest)}files/${path}`;
  const fetching = new Map<string, Promise<string>>();

  const manifestOf = async (digest: string): Promise<Manifest | null> => {
    const text = await bucket.text(manifestKey(digest));
    if (text === null) return null;
    if (sha256(text) !== digest) throw corrupt('folder', digest, sha256(text), options.bucket);
    return Manifest.parse(JSON.parse(text));
  };

  const whole = async (kind: Kind, { digest, bytes }: StoredContent): Promise<boolean> => {
    if (kind === 'file') return (await bucket.head(fileKey(digest)))?.bytes === bytes;
    const manifest = await manifestOf(digest).catch(() => null);
    if (manifest === null || manifest.files.reduce((sum, file) => sum + file.bytes, 0) !== bytes) return false;
    const found = new Map<string, number>();
    for await (const object of bucket.list(folderKey(digest))) found.set(object.key, object.bytes);
    return manifest.files.every((file) => found.get(memberKey(digest, file.path)) === file.bytes);
  };

  /** Fetches content into the local folder, once for all that ask at the same time. */
  const fetch = (kind: Kind, digest: string): Promise<string> => {
    const name = `${kind} ${digest}`;
    const running = fetching.get(name);
    if (running) return running;
    const started = (kind === 'file' ? fetchFile(digest) : fetchFolder(digest)).finally(() => fetching.delete(name));
    fetching.set(name, started);
    return started;
  };

  const fetchFile = async (digest: string): Promise<string> => {
    const staged = await local.stage();
    try {
      const file = join(staged, 'file');
      if (!(await bucket.download(fileKey(digest), file))) throw missing('file', digest, options.bucket);
      const content = await local.putFile(file);
      if (content.digest !== digest) {
        await local.remove('file', content.digest);
        throw corrupt('file', digest, content.digest, options.bucket);
      }
      return await local.localPath('file', digest);
    } finally {
      await discard(local, staged);
    }
  };

  const fetchFolder = async (digest: string): Promise<string> => {
    const manifest = await manifestOf(digest);
    if (manifest === null) throw missing('folder', digest, options.bucket);
    const staged = await local.stage();
    try {
      const folder = join(staged, 'folder');
      await mkdir(folder);
      await inLanes(manifest.files, async ({ path }) => {
        const file = join(folder, path);
        await mkdir(dirname(file), { recursive: true });
        if (!(await bucket.download(memberKey(digest, path), file))) throw missing('folder', digest, options.bucket, path);
      });
      const content = await local.putFolder(folder);
      if (content.digest !== digest) {
        await local.remove('folder', content.digest);
        throw corrupt('folder', digest, content.digest, options.bucket);
      }
      return await local.localPath('folder', digest);
    } finally {
      await discard(local, staged);
    }
  };

  return {
    capabilities: { shared: true },
    stage: () => local.stage(),

    async putFile(path) {
      const content = await local.putFile(path);
      // Also where it is there already: its time says when it was put last.
      await bucket.upload(fileKey(content.digest), await local.localPath('file', content.digest));
      return content;
    },

    async putFolder(path) {
      const content = await local.putFolder(path);
      const files = await local.localPath('folder', content.digest);
      const manifest = await readFile(join(dirname(files), 'manifest.json'), 'utf8');
      if (!(await whole('folder', content))) {
        const members = Manifest.parse(JSON.parse(manifest)).files;
        await inLanes(members, (member) => bucket.upload(memberKey(content.digest, member.path), join(files, member.path)));
      }
      await bucket.uploadText(manifestKey(content.digest), manifest);
      return content;
    },

    async has(kind, content, { verify = false } = {}) {
      if (!(await whole(kind, content))) return false;
      if (!verify) return true;
      // The copy of this host proves nothing about the bucket.
      await local.remove(kind, content.digest);
      try {
        await fetch(kind, content.digest);
        return true;
      } catch (error) {
        if (error instanceof ProblemError && error.problem.reason.startsWith('artifact-')) return false;
        throw error;
      }
    },

    async read(digest) {
      return createReadStream(await this.localPath('file', digest));
    },

    async localPath(kind, digest) {
      const here = await local.localPath(kind, digest).catch((error: unknown) => {
        if (error instanceof ProblemError && error.problem.reason === 'artifact-missing') return null;
        throw error;
      });
      return here ?? fetch(kind, digest);
    },

    async remove(kind, digest, { putBefore = Infinity } = {}) {
      const proof = await bucket.head(kind === 'file' ? fileKey(digest) : manifestKey(digest));
      if (proof !== null && proof.changedAt >= putBefore) return false;
      await local.remove(kind, digest);
      if (kind === 'file') {
        await bucket.remove([fileKey(digest)]);
      } else {
        // The manifest first, so that half a folder never counts as one.
        await bucket.remove([manifestKey(digest)]);
        for await (const { key } of bucket.list(folderKey(digest))) await bucket.remove([key]);
      }
      return proof !== null;
    },

    async *list() {
      for await (const { key, bytes, changedAt } of bucket.list('files/')) {
        yield { kind: 'file', digest: key.slice('files/'.length), bytes, putAt: changedAt };
      }
      let open = { digest: '', bytes: 0 };
      for await (const { key, bytes, changedAt } of bucket.list('folders/')) {
        const [, digest = '', ...rest] = key.split('/');
        if (digest !== open.digest) open = { digest, bytes: 0 };
        // Its name sorts after all files of the folder.
        if (rest.join('/') === 'manifest.json') yield { kind: 'folder', ...open, putAt: changedAt } satisfies StoredEntry;
        else open.bytes += bytes;
      }
    },

    leftovers: () => local.leftovers(),
    removeLeftover: (name) => local.removeLeftover(name),

    async close() {
      await bucket.close();
      await local.close();
    },
  };
}

async function inLanes<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(filesAtOnce, items.length) }, lane));
}

function discard(local: ArtifactStore, staged: string): Promise<void> {
  return local.removeLeftover(staged.slice(dirname(staged).length + 1));
}

function missing(kind: Kind, digest: string, bucket: string, path?: string): ProblemError {
  return new ProblemError({
    reason: 'artifact-missing',
    message: `The ${kind} artifact ${digest.slice(0, 12)} is not in the artifact store`,
    where: `bucket ${bucket}`,
    expected: path === undefined ? `a ${kind} of that digest` : `its file ${path}`,
    found: 'nothing',
    hint: 'Run the pipeline again: a step whose artifacts are gone is done anew.',
    exit: 1,
  });
}

function corrupt(kind: Kind, digest: string, found: string, bucket: string): ProblemError {
  return new ProblemError({
    reason: 'artifact-corrupt',
    message: `The ${kind} artifact ${digest.slice(0, 12)} was changed in the artifact store`,
    where: `bucket ${bucket}`,
    expected: `content with the sha256 ${digest}`,
    found: `content with the sha256 ${found}`,
    hint: `Remove it and run the pipeline again: the step that made it is then done anew.`,
    exit: 1,
  });
}
