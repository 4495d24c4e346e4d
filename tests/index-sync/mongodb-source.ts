import { openMongoChangeFeed } from '../../src/adapters/change-feed/mongodb.ts';
import { openMongoDocumentStore } from '../../src/adapters/document-store/mongodb.ts';
import { MongoDatabase } from '../../src/clients/mongodb.ts';
import type { MappedCollection } from '../../src/clients/mongodb-mapping.ts';
import type { RigSource } from './rig.ts';

/** A collection of another application, in which every test writes as it likes. */
export const mappedArticles: MappedCollection = {
  collection: 'articles',
  tenant: 'default',
  fields: { content: 'text', title: 'title' },
  contentType: 'markdown',
};

/** Documents and changes of a MongoDB database: twin's own, and the mapped articles. */
export function mongoSource(url: string, database: string): RigSource {
  const documents = () => ({
    database: new MongoDatabase({ url, database, subject: 'document store', setting: 'documentStore.url' }),
    collection: 'documents',
    namespaces: [mappedArticles],
  });
  return { documentStore: openMongoDocumentStore(documents()), changeFeed: openMongoChangeFeed(documents()) };
}
