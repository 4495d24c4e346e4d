import { Binary, BSON, Decimal128, Long, ObjectId, UUID } from 'mongodb';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openMongoDocumentStore } from '../../../src/adapters/document-store/mongodb.ts';
import { MongoKeys } from '../../../src/clients/mongodb-documents.ts';
import type { MappedCollection } from '../../../src/clients/mongodb-mapping.ts';
import { documentReader } from '../../../src/clients/mongodb-reader.ts';
import { documentStoreConformance } from '../../conformance/document-store.ts';
import { exampleDocument } from '../../support/documents.ts';
import { skipWithout } from '../../support/python.ts';
import { findBinary } from '../../support/services/find-binary.ts';
import { mongodOfFile } from '../../support/services/mongo-documents.ts';

const here = findBinary('mongod') !== null;
if (!here) skipWithout('mongod');

const articles: MappedCollection = {
  collection: 'articles',
  tenant: 'default',
  fields: { content: 'content.Content', title: 'content.Title', address: 'link', authorId: 'author_id' },
  contentType: 'markdown',
};

describe.skipIf(!here)('MongoDB', () => {
  const server = mongodOfFile();
  documentStoreConformance('MongoDB', async () => openMongoDocumentStore(server.documents()));

  async function openMapped() {
    const name = `mapped-${new ObjectId().toString()}`;
    const store = openMongoDocumentStore(server.documents({ name, namespaces: [articles] }));
    onTestFinished(() => store.close());
    const collection = server.client().db(name).collection('articles');
    const put = (document: object) => collection.insertOne(document, { writeConcern: { w: 'majority' } });
    return { name, store, collection, put, key: (id: string) => ({ tenant: 'default', id: `articles:${id}` }) };
  }

  test('documents of another application are read by a mapping, under the canonical Extended JSON of their _id', async () => {
    const { name, store, put, key } = await openMapped();
    const _id = new ObjectId('65f000000000000000000001');
    await put({
      _id,
      content: { Title: 'T', Content: 'Text' },
      link: 'https://example.org/1',
      author_id: new UUID('6f9ad8a1-5c0e-4d53-9a2f-7a1d3f8b2c44'),
    });
    const [read] = await store.get([key('{"$oid":"65f000000000000000000001"}')]);
    expect(read!.document).toMatchObject({
      id: 'articles:{"$oid":"65f000000000000000000001"}',
      tenant: 'default',
      address: 'https://example.org/1',
      origin: `mongodb:${name}.articles`,
      title: 'T',
      content: 'Text',
      authorId: '6f9ad8a1-5c0e-4d53-9a2f-7a1d3f8b2c44',
      authorName: null,
      platform: 'mongodb',
    });
    expect(await store.count()).toBe(1);
  });

  test('ids of any BSON type name their documents, and a scan finds all of them once', async () => {
    const { store, put } = await openMapped();
    const ids = [
      1,
      'text',
      '{"$oid":"65f000000000000000000001"}',
      new ObjectId(),
      Long.fromString('9007199254740993'),
      2.5,
      Number.NaN,
      Decimal128.fromString('3.10'),
      new Binary(Buffer.from([1, 2]), 0),
      new UUID(),
      new Date(8.64e15),
      { tenant: 'x', nested: { b: 1, a: 2 } },
      true,
      null,
    ];
    for (const [at, _id] of ids.entries()) await put({ _id, content: { Content: `Text ${at}` } });
    const first = await store.scan({ limit: 4 });
    const seen = [...first];
    for (let page = first; page.length === 4;) {
      page = await store.scan({ limit: 4, after: page.at(-1)! });
      seen.push(...page);
    }
    expect(new Set(seen.map(({ id }) => id)).size).toBe(ids.length);
    expect(seen).toHaveLength(ids.length);
    const reads = await store.get(seen);
    expect(reads.map(({ document }) => document?.content)).toEqual(seen.map(({ content }) => content));
  });

  test('a document without the mapped field is a problem that names the path, and the others are read', async () => {
    const { name, store, put, key } = await openMapped();
    await put({ _id: 1, content: { Title: 'no text' } });
    await put({ _id: 2, content: { Content: 'Text' } });
    await put({ _id: 3, content: { Content: 'Text', Title: ['a', 'list'] } });
    await put({ _id: 4, 'content.Content': 'Text under a name with a dot' });
    const reads = await store.get([1, 2, 3, 4].map((id) => key(`{"$numberInt":"${id}"}`)));
    expect(reads.map(({ document }) => document?.content ?? null)).toEqual([null, 'Text', null, 'Text under a name with a dot']);
    expect(reads[0]!.problem).toEqual({
      reason: 'document-unmappable',
      message: 'Document articles:{"$numberInt":"1"} cannot be indexed: content.Content does not hold what is mapped from it',
      where: `${name}.articles: content.Content`,
      expected: 'a text',
      found: 'nothing',
      hint: 'Mend the document, or the mapping of articles in documentStore.namespaces.',
      exit: 1,
    });
    expect(reads[2]!.problem).toMatchObject({ where: `${name}.articles: content.Title`, found: 'a list' });
    const rejected: string[] = [];
    const taken = await store.scan({ limit: 10, rejected: (each) => void rejected.push(each.id) });
    expect([taken.length, rejected]).toEqual([2, ['articles:{"$numberInt":"1"}', 'articles:{"$numberInt":"3"}']]);
  });

  test('text that is no UTF-8 is a problem of its document alone', () => {
    const { keys, namespace } = { keys: new MongoKeys(server.documents({ namespaces: [articles] }), BSON.EJSON), namespace: articles };
    const reader = documentReader(BSON, keys, server.client().db('broken'));
    const bytes = Buffer.from(BSON.serialize({ _id: 1, content: { Content: 'XX' } }));
    bytes.set([0xff, 0xfe], bytes.lastIndexOf('XX'));
    expect(reader.mapped(bytes, namespace)).toMatchObject({
      key: { tenant: 'default', id: 'articles:{"$numberInt":"1"}' },
      document: {
        reason: 'document-unreadable',
        message: 'Document articles:{"$numberInt":"1"} holds text that is not valid UTF-8',
        where: 'broken.articles',
      },
    });
  });

  test('documents of another application are not written, but may be deleted', async () => {
    const { store, put, key } = await openMapped();
    await put({ _id: 1, content: { Content: 'Text' } });
    await expect(store.put([exampleDocument('articles:{"$numberInt":"1"}')])).rejects.toMatchObject({
      problem: {
        reason: 'source-read-only',
        message: 'Document articles:{"$numberInt":"1"} belongs to the collection articles of another application',
      },
    });
    expect(await store.delete([key('{"$numberInt":"1"}')])).toBe(1);
    expect(await store.count()).toBe(0);
  });

  test('a document of 15.9 MB is kept, and a larger one refused before it is sent', async () => {
    const store = openMongoDocumentStore(server.documents());
    onTestFinished(() => store.close());
    expect(await store.put([exampleDocument('big', { content: 'x'.repeat(15.9 * 1024 * 1024) })])).toEqual(['inserted']);
    await expect(store.put([exampleDocument('bigger', { content: 'x'.repeat(16.1 * 1024 * 1024) })])).rejects.toMatchObject({
      problem: { reason: 'document-too-large', message: 'file:bigger.md is larger than a document of MongoDB may be', found: '16.1 MB' },
    });
  });

  test('a mark, a change by another program and a transaction move the version', async () => {
    const { name, store, collection, put } = await openMapped();
    const version = async () => store.version();
    const seen = [await version()];
    await put({ _id: 1, content: { Content: 'Text' } });
    seen.push(await version());
    const session = server.client().startSession();
    await session.withTransaction(async () => {
      await collection.updateOne({ _id: 1 as never }, { $set: { link: 'a' } }, { session });
      await collection.insertOne({ _id: 2, content: { Content: 'b' } } as never, { session });
    });
    await session.endSession();
    seen.push(await version());
    await server.client().db(name).dropCollection('articles');
    seen.push(await version());
    expect(seen).toEqual([...new Set(seen)].toSorted((one, other) => one - other));
    await server
      .client()
      .db(`${name}-other`)
      .collection('things')
      .insertOne({}, { writeConcern: { w: 'majority' } });
    expect(await version()).toBe(seen.at(-1));
  });
});
