import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { S3Client, ListBucketsCommand } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { skipWithout } from '../python.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { findBinary } from './find-binary.ts';
import { startMongod } from './mongod.ts';
import { startRedis } from './redis.ts';
import { startS3 } from './s3.ts';
import { freePort } from './server-process.ts';

for (const name of ['mongod', 'redis-server', 'versitygw'] as const) if (findBinary(name) === null) skipWithout(name);

test('a free port can be listened on', async () => {
  const port = await freePort();
  const server = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  expect(server.address()).toMatchObject({ port });
  server.close();
});

test.skipIf(findBinary('redis-server') === null)('redis-server comes back empty after a kill, on the same address', async () => {
  const server = await startRedis(await temporaryFolder());
  const client = new Redis(server.url);
  await client.set('key', 'value');
  client.disconnect();
  await server.kill('SIGKILL');
  await server.start();
  const again = new Redis(server.url);
  expect(await again.get('key')).toBeNull();
  again.disconnect();
  await server.stop();
});

test.skipIf(findBinary('mongod') === null)('mongod starts once a killed server has let its folder go', async () => {
  const folder = await temporaryFolder();
  const first = await startMongod(folder, { members: 0 });
  const second = startMongod(folder, { members: 0 });
  await delay(500);
  await first.stop();
  const { servers, stop } = await second;
  expect(servers[0]!.log()).toContain('DBPathInUse');
  await stop();
});

test.skipIf(findBinary('mongod') === null)('mongod is a replica set that keeps majority writes over a kill', async () => {
  const mongod = await startMongod(await temporaryFolder());
  const client = new MongoClient(mongod.url);
  await client
    .db('test')
    .collection('things')
    .insertOne({ name: 'kept' }, { writeConcern: { w: 'majority', journal: true } });
  await mongod.servers[0]!.kill('SIGKILL');
  await mongod.servers[0]!.start();
  expect(await client.db('test').collection('things').countDocuments({ name: 'kept' })).toBe(1);
  await client.close();
  await mongod.stop();
});

test.skipIf(findBinary('versitygw') === null)('versitygw serves a bucket', async () => {
  const s3 = await startS3(await temporaryFolder());
  const credentials = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey };
  const client = new S3Client({ endpoint: s3.endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  const { Buckets } = await client.send(new ListBucketsCommand({}));
  expect(Buckets?.map(({ Name }) => Name)).toEqual([s3.bucket]);
  client.destroy();
  await s3.stop();
});
