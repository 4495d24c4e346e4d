import type { BSON, Db } from 'mongodb';
import { Document, Digest, type StoredDocument } from '../contracts/document.ts';
import type { Problem } from '../contracts/problem.ts';
import type { MongoKeys, OwnId } from './mongodb-documents.ts';
import { mapDocument, type MappedCollection } from './mongodb-mapping.ts';

/** What stands under a key: a document, or why it is none. */
export interface ReadDocument {
  readonly key: OwnId;
  readonly document: StoredDocument | Problem;
}

/** Makes documents of what the server sends, one by one, so that one that is broken breaks no other. */
export function documentReader(bson: typeof BSON, keys: MongoKeys, db: Db) {
  /** The values, and what is wrong with the bytes: text that is no UTF-8. */
  const decode = (raw: Uint8Array): { readonly value: BSON.Document; readonly broken: string | null } => {
    try {
      return { value: bson.deserialize(raw), broken: null };
    } catch (error) {
      return {
        value: bson.deserialize(raw, { validation: { utf8: false } }),
        broken: error instanceof Error ? error.message : String(error),
      };
    }
  };
  const unreadable = (id: string, collection: string, found: string): Problem => ({
    reason: 'document-unreadable',
    message: `Document ${id} holds text that is not valid UTF-8`,
    where: `${db.databaseName}.${collection}`,
    expected: 'UTF-8',
    found,
    hint: 'Write the document again with a driver that checks its text.',
    exit: 1,
  });

  return {
    own(raw: Uint8Array): ReadDocument {
      const { value, broken } = decode(raw);
      const { _id, revision, vanished, changedAt: _changedAt, ...document } = value as { _id: OwnId } & Record<string, unknown>;
      const key = { tenant: _id.tenant, id: _id.id };
      if (broken !== null) return { key, document: unreadable(key.id, 'documents', broken) };
      const parsed = Document.safeParse(document);
      const digest = Digest.safeParse(revision);
      if (parsed.success && digest.success)
        return { key, document: { ...parsed.data, revision: digest.data, vanished: vanished === true } };
      const path = parsed.error?.issues[0]?.path.join('.') ?? 'revision';
      const problem: Problem = {
        reason: 'document-unmappable',
        message: `Document ${key.id} cannot be indexed: ${path} is not as twin writes it`,
        where: `${db.databaseName}: ${path}`,
        found: parsed.error?.issues[0]?.message ?? 'no revision',
        hint: 'Another program changed it: collect it again.',
        exit: 1,
      };
      return { key, document: problem };
    },

    mapped(raw: Uint8Array, namespace: MappedCollection): ReadDocument {
      const { value, broken } = decode(raw);
      const id = keys.idOf(namespace, value['_id']);
      const key = { tenant: namespace.tenant, id };
      if (broken !== null) return { key, document: unreadable(id, namespace.collection, broken) };
      return { key, document: mapDocument(value, id, namespace, db.databaseName) };
    },
  };
}
