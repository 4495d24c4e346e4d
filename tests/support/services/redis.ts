import { findBinary } from './find-binary.ts';
import { freePort, type ServerProcess, startServer } from './server-process.ts';

/** A real redis-server in `folder`, empty, keeping what it must (noeviction) and nothing on disk unless `args` say otherwise. */
export async function startRedis(folder: string, args: readonly string[] = []): Promise<ServerProcess & { readonly url: string }> {
  const port = await freePort();
  const own = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const server = await startServer({
    binary: findBinary('redis-server')!,
    args: [...own, '--maxmemory-policy', 'noeviction', ...args],
    port,
    folder,
  });
  return { ...server, url: `redis://127.0.0.1:${port}` };
}
