import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** Starts a server before the tests of the surrounding `describe` and stops it after them; call the result inside a test. */
export function ofSuite<Server extends { stop(): Promise<void> }>(start: (folder: string) => Promise<Server>): () => Server {
  let server: Server | undefined;
  let folder: string | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'twin-suite-'));
    server = await start(folder);
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  return () => server!;
}
