import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { MongoDatabase } from '../../../src/clients/mongodb.ts';
import type { MongoDocuments } from '../../../src/clients/mongodb-documents.ts';
import { type MongodOptions, type StartedMongod, startMongod } from './mongod.ts';

/** One MongoDB for all tests of a file, a database of its own for each that asks, and a driver beside twin's. */
export interface MongodOfFile {
  readonly mongod: () => StartedMongod;
  readonly client: () => MongoClient;
  /** Where documents stand, in a new database or the named one. */
  documents(more?: Partial<MongoDocuments> & { readonly name?: string }): MongoDocuments;
}

let databases = 0;

/** Starts MongoDB before the tests of a file, and ends it after them. */
export function mongodOfFile(options: MongodOptions = {}): MongodOfFile {
  let folder: string;
  let mongod: StartedMongod;
  let client: MongoClient;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'twin-mongod-'));
    mongod = await startMongod(folder, options);
    client = new MongoClient(mongod.url);
  });
  afterAll(async () => {
    await client?.close();
    await mongod?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    mongod: () => mongod,
    client: () => client,
    documents({ name, ...more } = {}) {
      const place = { url: mongod.url, subject: 'documents', setting: 'documentStore.url' };
      const standalone = options.members === 0;
      const database = new MongoDatabase({ ...place, database: name ?? `documents-${process.pid}-${(databases += 1)}`, standalone });
      return { database, collection: 'documents', namespaces: [], standalone, ...more };
    },
  };
}
