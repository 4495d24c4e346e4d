import { describe } from 'vitest';
import { openMongoChangeFeed } from '../../../src/adapters/change-feed/mongodb.ts';
import { openMongoDocumentStore } from '../../../src/adapters/document-store/mongodb.ts';
import { changeFeedConformance } from '../../conformance/change-feed.ts';
import { skipWithout } from '../../support/python.ts';
import { findBinary } from '../../support/services/find-binary.ts';
import { mongodOfFile } from '../../support/services/mongo-documents.ts';

const here = findBinary('mongod') !== null;
if (!here) skipWithout('mongod');

describe.skipIf(!here)('MongoDB change streams', () => {
  const server = mongodOfFile();
  let names = 0;
  changeFeedConformance('MongoDB', async () => {
    const name = `feed-${(names += 1)}`;
    return { documents: openMongoDocumentStore(server.documents({ name })), feed: openMongoChangeFeed(server.documents({ name })) };
  });
});
