import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openS3ArtifactStore } from '../../../src/adapters/artifact-store/s3.ts';
import { sha256 } from '../../../src/contracts/digest.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import type { ArtifactStore } from '../../../src/ports/artifact-store.ts';
import { artifactStoreConformance } from '../../conformance/artifact-store.ts';
import { skipWithout } from '../../support/python.ts';
import { findBinary } from '../../support/services/find-binary.ts';
import { ofSuite } from '../../support/services/of-suite.ts';
import { freePort } from '../../support/services/server-process.ts';
import { startS3 } from '../../support/services/s3.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const none = findBinary('versitygw') === null;
if (none) skipWithout('versitygw');

describe.skipIf(none)('S3', () => {
  const s3 = ofSuite((folder) => startS3(folder));
  let prefixes = 0;
  const open = async (more: Partial<Parameters<typeof openS3ArtifactStore>[0]> = {}) => {
    const { endpoint, bucket, accessKey, secretKey } = s3();
    return openS3ArtifactStore({
      endpoint,
      region: 'us-east-1',
      bucket,
      prefix: `suite-${++prefixes}/`,
      credentials: () => Promise.resolve({ accessKeyId: accessKey, secretAccessKey: secretKey }),
      cacheFolder: join(await temporaryFolder(), 'artifacts'),
      ...more,
    });
  };
  const putText = async (store: ArtifactStore, content: string | Buffer) => {
    const path = join(await store.stage(), 'text');
    await writeFile(path, content);
    return store.putFile(path);
  };
  const problemOf = async (work: Promise<unknown>) => ((await work.catch((error: unknown) => error)) as ProblemError).problem;

  artifactStoreConformance('S3', () => open());

  test('what one host has put, another one reads', async () => {
    const [here, there] = [await open({ prefix: 'both/' }), await open({ prefix: 'both/' })];
    const file = await putText(here, 'hello');
    const folder = join(await here.stage(), 'model');
    await mkdir(join(folder, 'sub'), { recursive: true });
    await writeFile(join(folder, 'sub/weights'), 'abc');
    const model = await here.putFolder(folder);
    expect(await there.has('folder', model)).toBe(true);
    expect(await readFile(await there.localPath('file', file.digest), 'utf8')).toBe('hello');
    expect(await readFile(join(await there.localPath('folder', model.digest), 'sub/weights'), 'utf8')).toBe('abc');
    await here.close();
    await there.close();
  });

  test('a large file goes up in parts and comes back whole', async () => {
    const cacheFolder = join(await temporaryFolder(), 'artifacts');
    const store = await open({ cacheFolder });
    const bytes = randomBytes(20 * 1024 * 1024 + 1);
    const content = await putText(store, bytes);
    await rm(cacheFolder, { recursive: true });
    expect(sha256(await readFile(await store.localPath('file', content.digest)))).toBe(content.digest);
    await store.close();
  });

  test('content that was changed in the bucket is never given out', async () => {
    const cacheFolder = join(await temporaryFolder(), 'artifacts');
    const store = await open({ cacheFolder, prefix: 'changed/' });
    const content = await putText(store, 'hello');
    const object = (await readdir(s3().data, { recursive: true })).find((path) => path.endsWith(`changed/files/${content.digest}`));
    await writeFile(join(s3().data, object!), 'jello');
    await rm(cacheFolder, { recursive: true });
    expect(await store.has('file', content)).toBe(true);
    expect(await store.has('file', content, { verify: true })).toBe(false);
    expect(await problemOf(store.localPath('file', content.digest))).toEqual({
      reason: 'artifact-corrupt',
      message: `The file artifact ${content.digest.slice(0, 12)} was changed in the artifact store`,
      where: `bucket ${s3().bucket}`,
      expected: `content with the sha256 ${content.digest}`,
      found: `content with the sha256 ${sha256('jello')}`,
      hint: 'Remove it and run the pipeline again: the step that made it is then done anew.',
      exit: 1,
    });
    await store.close();
  });

  test('a connection that is cut in the middle is taken up where it broke', async () => {
    const bytes = randomBytes(6 * 1024 * 1024);
    const there = await open({ prefix: 'cut/' });
    const content = await putText(there, bytes);
    const proxy = await cuttingProxy(s3().port, 2 * 1024 * 1024, 2);
    const here = await open({ prefix: 'cut/', endpoint: `http://127.0.0.1:${proxy.port}` });
    expect(sha256(await readFile(await here.localPath('file', content.digest)))).toBe(content.digest);
    expect(proxy.cuts()).toBe(2);
    await Promise.all([here.close(), there.close()]);
    proxy.close();
  });

  test('credentials that the server does not know are one clear error, without them', async () => {
    let reads = 0;
    const credentials = () => Promise.resolve({ accessKeyId: s3().accessKey, secretAccessKey: reads++ === 0 ? s3().secretKey : 'hunter2' });
    const store = await open({ credentials });
    await putText(store, 'before');
    await putText(store, 'more');
    expect(reads).toBe(1);
    const refused = await open({ credentials });
    const problem = await problemOf(putText(refused, 'after'));
    expect(problem).toMatchObject({ reason: 's3-credentials', where: 'artifactStore', exit: 2 });
    expect(problem.message).toBe(`${s3().endpoint} does not accept the credentials for the bucket ${s3().bucket}`);
    expect(JSON.stringify(problem)).not.toContain('hunter2');
    await Promise.all([store.close(), refused.close()]);
  });

  test('credentials that expire while it is used are one clear error', async () => {
    const server = createHttpServer((_, response) =>
      response
        .writeHead(400, { 'content-type': 'application/xml' })
        .end('<Error><Code>ExpiredToken</Code><Message>The token is old</Message></Error>'),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    const store = await open({ endpoint });
    expect(await problemOf(putText(store, 'x'))).toEqual({
      reason: 's3-credentials-expired',
      message: `The credentials for the bucket artifacts at ${endpoint} have expired`,
      where: 'artifactStore',
      found: 'ExpiredToken: The token is old',
      hint: 'Renew them and run again: what was finished is a hit. Credentials that a command prints are renewed while twin runs.',
      exit: 1,
    });
    await store.close();
    server.closeAllConnections();
    server.close();
  });

  test('a bucket that is not there and a server that is not there are named', async () => {
    const store = await open({ bucket: 'nothing' });
    expect(await problemOf(putText(store, 'x'))).toMatchObject({
      reason: 's3-no-bucket',
      message: `There is no bucket nothing at ${s3().endpoint}`,
      where: 'artifactStore.bucket',
    });
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const nowhere = await open({ endpoint });
    expect(await problemOf(nowhere.has('file', { digest: '0'.repeat(64), bytes: 1 }))).toMatchObject({
      reason: 's3-unreachable',
      message: `${endpoint} does not answer`,
      exit: 1,
    });
    await Promise.all([store.close(), nowhere.close()]);
  });

  test('opening a store makes nothing and asks nobody', async () => {
    const cacheFolder = join(await temporaryFolder(), 'artifacts');
    const store = await open({ cacheFolder, endpoint: 'http://127.0.0.1:1' });
    await store.close();
    expect(existsSync(cacheFolder)).toBe(false);
  });
});

/** Passes bytes on to a port and cuts the first connections that have answered with so many bytes. */
async function cuttingProxy(port: number, after: number, times: number) {
  let cuts = 0;
  const sockets = new Set<Socket>();
  const server = createServer((inward) => {
    const outward = connect({ host: '127.0.0.1', port });
    let passed = 0;
    for (const socket of [inward, outward]) sockets.add(socket.on('error', () => undefined));
    inward.pipe(outward);
    outward.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      inward.write(chunk);
      if (passed < after || cuts >= times) return;
      cuts++;
      inward.destroy();
      outward.destroy();
    });
    outward.on('close', () => inward.destroy());
    inward.on('close', () => outward.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    cuts: () => cuts,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
