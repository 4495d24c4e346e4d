import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A repository of the fake hub. */
interface Repository {
  readonly private: boolean;
  readonly files: Map<string, Buffer>;
  commit: string;
}

/** What the fake hub answers out of turn: a status, or a cut after so many bytes of the body. */
export type HubFault = { readonly status: number } | { readonly cutAfter: number };

/** A fake of the Hugging Face Hub on this machine: the calls that pushing and pulling use, in memory. */
export interface FakeHub {
  readonly url: string;
  readonly token: string;
  readonly repositories: ReadonlyMap<string, Repository>;
  /** `<method> <path>` of every call, in order. */
  readonly calls: string[];
  /** Has the next calls whose path matches fail, one fault a call. */
  fail(path: RegExp, faults: readonly HubFault[]): void;
  close(): Promise<void>;
}

/** Files from this size on go by LFS, as the real hub decides by size and kind. */
const largeFrom = 64;

/** Starts a fake hub. */
export async function fakeHub(): Promise<FakeHub> {
  const token = 'hf_test';
  const repositories = new Map<string, Repository>();
  const large = new Map<string, Buffer>();
  const calls: string[] = [];
  const faults: { readonly path: RegExp; readonly left: HubFault[] }[] = [];
  let url = '';

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent(new URL(request.url!, url).pathname);
    calls.push(`${request.method} ${path}`);
    const body = await readBody(request);
    const fault = faults.find((each) => each.path.test(path) && each.left.length > 0)?.left.shift();
    if (fault && 'status' in fault) return json(response, { error: 'out of turn' }, fault.status);
    const isOurs = request.headers.authorization === `Bearer ${token}`;

    if (path === '/api/repos/create') {
      if (!isOurs) return json(response, { error: 'Invalid token' }, 401);
      const { name, organization, visibility } = JSON.parse(body.toString()) as Record<string, string>;
      const id = `${organization}/${name}`;
      if (repositories.has(id)) return json(response, { error: 'You already created this repo' }, 409);
      repositories.set(id, { private: visibility === 'private', files: new Map(), commit: '0'.repeat(40) });
      return json(response, { url: `${url}/${id}`, id });
    }
    if (path.startsWith('/lfs/')) {
      if (fault && 'cutAfter' in fault) return void request.socket.destroy();
      large.set(path.slice('/lfs/'.length), body);
      return void response.end();
    }
    const [, id, rest] = /^(?:\/api\/models)?\/([\w.-]+\/[\w.-]+?)(?:\.git)?(\/.*)$/.exec(path)!;
    const repository = repositories.get(id!);
    if (!repository || (repository.private && !isOurs)) return json(response, { error: 'Repository not found' }, 404);
    if (rest!.startsWith('/preupload/')) {
      const { files } = JSON.parse(body.toString()) as { files: { path: string; size: number }[] };
      return json(response, {
        files: files.map(({ path: file, size }) => ({ path: file, uploadMode: size >= largeFrom ? 'lfs' : 'regular' })),
      });
    }
    if (rest === '/info/lfs/objects/batch') {
      const { objects } = JSON.parse(body.toString()) as { objects: { oid: string; size: number }[] };
      const upload = (oid: string) => ({ actions: { upload: { href: `${url}/lfs/${oid}` } } });
      return json(response, {
        transfer: 'basic',
        objects: objects.map(({ oid, size }) => Object.assign({ oid, size }, large.has(oid) ? {} : upload(oid))),
      });
    }
    if (rest!.startsWith('/commit/')) {
      for (const line of body.toString().trim().split('\n')) {
        const { key, value } = JSON.parse(line) as { key: string; value: { path: string; content: string; oid: string } };
        if (key === 'file') repository.files.set(value.path, Buffer.from(value.content, 'base64'));
        if (key === 'lfsFile') repository.files.set(value.path, large.get(value.oid)!);
      }
      repository.commit = createHash('sha1').update(body).digest('hex');
      return json(response, { commitOid: repository.commit, commitUrl: `${url}/${id}/commit/${repository.commit}`, hookOutput: '' });
    }
    if (rest!.startsWith('/revision/')) return json(response, { _id: '1', id, sha: repository.commit, private: repository.private });
    if (rest!.startsWith('/tree/')) return json(response, [...repository.files].map(entryOf));
    if (rest!.startsWith('/resolve/')) {
      const content = repository.files.get(rest!.split('/').slice(3).join('/'));
      if (!content) return json(response, { error: 'Entry not found' }, 404);
      return send(request, response, content, fault && 'cutAfter' in fault ? fault.cutAfter : null);
    }
    return json(response, { error: `the fake does not know ${path}` }, 500);
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    token,
    repositories,
    calls,
    fail: (path, left) => void faults.push({ path, left: [...left] }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function entryOf([path, content]: readonly [string, Buffer]): object {
  const size = content.length;
  const hash = (algorithm: string, prefix = '') => createHash(algorithm).update(prefix).update(content).digest('hex');
  const lfs = size >= largeFrom ? { lfs: { oid: hash('sha256'), size, pointerSize: 100 } } : {};
  return { type: 'file', path, size, oid: hash('sha1', `blob ${size}\0`), ...lfs };
}

/** Sends content, or the asked range of it; cut where the fault says so. */
function send(request: IncomingMessage, response: ServerResponse, content: Buffer, cutAfter: number | null): void {
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '');
  const [start, end] = range ? [Number(range[1]), range[2] === '' ? content.length : Number(range[2]) + 1] : [0, content.length];
  const part = content.subarray(start, end);
  response.writeHead(range ? 206 : 200, {
    'content-length': part.length,
    'content-range': `bytes ${start}-${Math.max(start, end - 1)}/${content.length}`,
    etag: '"1"',
  });
  // The look at size and range asks for one byte; only the body itself is cut.
  if (cutAfter === null || part.length <= 1) return void response.end(part);
  response.write(part.subarray(0, cutAfter), () => response.destroy());
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
