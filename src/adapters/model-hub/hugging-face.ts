import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { commitIter, createRepo, downloadFile, listFiles, type ListFileEntry, modelInfo } from '@huggingface/hub';
import { ProblemError } from '../../contracts/problem.ts';
import type { ModelHub } from '../../ports/model-hub.ts';
import { callHub, CutTransferError, statusOf } from './hub-call.ts';

/** Which hub, and who asks. */
export interface HuggingFaceOptions {
  /** Base of the hub; the public one where none is named. */
  readonly url?: string | undefined;
  /** Reads the token when a call needs it. */
  readonly token?: (() => Promise<string>) | undefined;
  /** Tests wait without waiting. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** The Hugging Face Hub, or a server that speaks like it. Large files go by plain LFS, so that what has arrived is not sent again. */
export function huggingFaceHub({ url, token, wait }: HuggingFaceOptions): ModelHub {
  const access = async () => ({ ...(url !== undefined && { hubUrl: url }), ...(token && { accessToken: await token() }) });
  const repoOf = (name: string) => ({ type: 'model', name }) as const;
  const calls = (signal: AbortSignal) => ({ signal, ...(wait && { wait }) });

  return {
    async push({ repository, revision, public: isPublic }, folder, { title, signal, onProgress }) {
      const credentials = await access();
      if (!('accessToken' in credentials)) throw tokenMissing();
      const repo = repoOf(repository);
      await callHub(
        'make the repository',
        () =>
          createRepo({ ...credentials, repo, visibility: isPublic ? 'public' : 'private' }).catch((error: unknown) => {
            // It is there already: whether it may be written to, the commit will tell.
            if (statusOf(error) !== 409) throw error;
          }),
        calls(signal),
      );
      const files = await filesBelow(folder);
      const operations = await Promise.all(
        files.map(async ({ path }) => ({ operation: 'addOrUpdate' as const, path, content: await openAsBlob(join(folder, path)) })),
      );
      const sizes = new Map(files.map(({ path, bytes }) => [path, bytes]));
      const commit = await callHub(
        `upload to ${repository}`,
        async () => {
          const upload = commitIter({
            ...credentials,
            repo,
            operations,
            title,
            useXet: false,
            abortSignal: signal,
            ...(revision && { branch: revision }),
          });
          for (;;) {
            const step = await upload.next();
            if (step.done) return step.value?.commit;
            const event = step.value;
            if (event.event !== 'fileProgress' || event.state !== 'uploading') continue;
            const total = sizes.get(event.path) ?? 0;
            onProgress({ path: event.path, done: Math.round(event.progress * total), total });
          }
        },
        calls(signal),
      );
      return { commit: commit?.oid ?? '', url: commit?.url ?? '' };
    },

    async pull({ repository, revision }, folder, { signal, onProgress }) {
      const credentials = await access();
      const repo = repoOf(repository);
      // One commit for all files: a branch may move meanwhile.
      const info = await callHub(
        `show ${repository}`,
        () => modelInfo({ ...credentials, name: repository, additionalFields: ['sha'], ...(revision && { revision }) }),
        calls(signal),
      );
      const commit = info.sha;
      const entries = await callHub(
        `list ${repository}`,
        () => Array.fromAsync(listFiles({ ...credentials, repo, recursive: true, revision: commit })),
        calls(signal),
      );
      for (const entry of entries.filter(({ type }) => type === 'file')) {
        const target = placeBelow(folder, entry.path);
        await mkdir(dirname(target), { recursive: true });
        if (await isWhole(target, entry)) continue;
        await callHub(`download ${entry.path}`, () => download(entry, target), calls(signal));
      }
      return { commit };

      async function download(entry: ListFileEntry, target: string): Promise<void> {
        const part = `${target}.part`;
        const begun = await stat(part).then(
          ({ size }) => (size <= entry.size ? size : 0),
          () => 0,
        );
        if (begun < entry.size || entry.size === 0) {
          const blob = await downloadFile({ ...credentials, repo, path: entry.path, revision: commit, xet: false });
          if (blob === null) throw new CutTransferError(`${entry.path} is not there`);
          let done = begun;
          const body = Readable.fromWeb(blob.slice(begun).stream()).on('data', (bytes: Buffer) => {
            done += bytes.length;
            onProgress({ path: entry.path, done, total: entry.size });
          });
          await pipeline(body, createWriteStream(part, { flags: begun === 0 ? 'w' : 'a' }), { signal });
        }
        const { size } = await stat(part);
        if (size < entry.size) throw new CutTransferError(`${entry.path} was cut after ${size} of ${entry.size} bytes`);
        if (!(await isWhole(part, entry))) {
          await rm(part);
          throw new CutTransferError(`${entry.path} arrived with other bytes than the hub says it has`);
        }
        await rename(part, target);
      }
    },
  };
}

async function filesBelow(folder: string): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = await Promise.all(
    files.map(async (file) => ({ path: relative(folder, file).split(sep).join('/'), bytes: (await stat(file)).size })),
  );
  return found.toSorted((left, right) => (left.path < right.path ? -1 : 1));
}

/** A hub names files; none of them may lie outside of the folder. */
function placeBelow(folder: string, path: string): string {
  const target = join(folder, path);
  if (relative(folder, target).startsWith('..')) {
    throw new ProblemError({
      reason: 'hub-path',
      message: `The hub names a file outside of the folder: ${path}`,
      hint: 'Do not trust this repository',
      exit: 1,
    });
  }
  return target;
}

/** Whether a file has the size and the hash that the hub tells: sha256 of large files, git's own of small ones. */
async function isWhole(path: string, { size, lfs, oid }: ListFileEntry): Promise<boolean> {
  const found = await stat(path).then(
    (file) => file.size,
    () => -1,
  );
  if (found !== size) return false;
  const wanted = lfs?.oid ?? oid;
  if (wanted === undefined) return true;
  const hash = createHash(lfs ? 'sha256' : 'sha1');
  if (!lfs) hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') === wanted;
}

function tokenMissing(): ProblemError {
  return new ProblemError({
    reason: 'token-missing',
    message: 'Uploading to the hub needs a token',
    expected: 'modelHub.token in the configuration',
    found: 'none',
    hint: 'Name where it is found: modelHub: { kind: hugging-face, token: { env: HF_TOKEN } }',
    exit: 2,
  });
}
