import { describe, expect, onTestFinished, test } from 'vitest';
import { openMongoPollingFeed } from '../../../src/adapters/change-feed/mongodb-polling.ts';
import { openMongoChangeFeed } from '../../../src/adapters/change-feed/mongodb.ts';
import { openMongoDocumentStore } from '../../../src/adapters/document-store/mongodb.ts';
import { changeFeedConformance } from '../../conformance/change-feed.ts';
import { skipWithout } from '../../support/python.ts';
import { findBinary } from '../../support/services/find-binary.ts';
import { mongodOfFile } from '../../support/services/mongo-documents.ts';

const here = findBinary('mongod') !== null;
if (!here) skipWithout('mongod');

describe.skipIf(!here)('MongoDB without a replica set', () => {
  const server = mongodOfFile({ members: 0 });
  let names = 0;
  changeFeedConformance('MongoDB by polling', async () => {
    const name = `polled-${(names += 1)}`;
    return { documents: openMongoDocumentStore(server.documents({ name })), feed: openMongoPollingFeed(server.documents({ name })) };
  });

  test('says which promises it cannot keep', () => {
    expect(openMongoPollingFeed(server.documents()).capabilities).toEqual({ deletes: false, gaps: false, exact: false });
  });

  test('is refused as a source of change streams, with what to do', async () => {
    const { database, ...documents } = server.documents();
    await database.close();
    const { MongoDatabase } = await import('../../../src/clients/mongodb.ts');
    const place = { url: server.mongod().url, subject: 'document store', setting: 'documentStore.url', database: 'x' };
    const feed = openMongoChangeFeed({ ...documents, standalone: false, database: new MongoDatabase(place) });
    onTestFinished(() => feed.close());
    await expect(feed.read(null, 10)).rejects.toMatchObject({
      problem: { reason: 'mongodb-no-replica-set', where: 'documentStore.url', exit: 2 },
    });
  });

  test('a collection of another application without a time of change is a problem of the configuration', async () => {
    const namespaces = [{ collection: 'articles', tenant: 'default', fields: { content: 'text' }, contentType: 'text' as const }];
    const feed = openMongoPollingFeed(server.documents({ namespaces }));
    onTestFinished(() => feed.close());
    await expect(feed.read(null, 10)).rejects.toMatchObject({ problem: { reason: 'no-change-time', exit: 2 } });
  });
});
