import type { BSON, Db, MongoClient } from 'mongodb';
import type { MongoDatabase } from './mongodb.ts';
import { mongoCode } from './mongodb-problem.ts';
import type { MappedCollection } from './mongodb-mapping.ts';

/** Where documents stand in a database, and where each of them comes from. */
export interface MongoDocuments {
  readonly database: MongoDatabase;
  /** Holds what twin collects itself. */
  readonly collection: string;
  readonly namespaces: readonly MappedCollection[];
  /** A server without a replica set: no snapshots, no change streams. */
  readonly standalone?: boolean;
}

/** The names of all collections that hold documents. */
export function collectionNames({ collection, namespaces }: MongoDocuments): readonly string[] {
  return [collection, ...namespaces.map((namespace) => namespace.collection)];
}

/** The `_id` of a document that twin keeps itself. */
export interface OwnId {
  readonly tenant: string;
  readonly id: string;
}

/** Names documents of mapped collections by their collection and the canonical Extended JSON of their `_id`. */
export class MongoKeys {
  readonly #documents: MongoDocuments;
  readonly #ejson: typeof BSON.EJSON;

  constructor(documents: MongoDocuments, ejson: typeof BSON.EJSON) {
    this.#documents = documents;
    this.#ejson = ejson;
  }

  /** The id under which a document of a mapped collection is known. */
  idOf(namespace: MappedCollection, id: unknown): string {
    return `${namespace.collection}:${this.#ejson.stringify(id, { relaxed: false })}`;
  }

  /** The key of a changed document, null in a collection that holds none of ours. */
  keyOf(collection: string, id: unknown): { readonly tenant: string; readonly id: string } | null {
    const namespace = this.#documents.namespaces.find((each) => each.collection === collection);
    if (namespace) return { tenant: namespace.tenant, id: this.idOf(namespace, id) };
    if (collection !== this.#documents.collection || typeof id !== 'object' || id === null) return null;
    const own = id as Partial<OwnId>;
    return typeof own.tenant === 'string' && typeof own.id === 'string' ? { tenant: own.tenant, id: own.id } : null;
  }

  /** The mapped collection and `_id` that a key names; null where twin keeps it itself. */
  mapped({ tenant, id }: OwnId): { readonly namespace: MappedCollection; readonly id: unknown } | null {
    for (const namespace of this.#documents.namespaces) {
      if (namespace.tenant !== tenant || !id.startsWith(`${namespace.collection}:`)) continue;
      try {
        return { namespace, id: this.#ejson.parse(id.slice(namespace.collection.length + 1), { relaxed: false }) as unknown };
      } catch {
        // Whoever made this id, it names nothing of that collection.
      }
    }
    return null;
  }
}

/**
 * The very cluster and database: the id of its replica set, drawn when it was initiated. Where the user may not ask for it, the name of the set
 * stands in, which tells two clusters apart only if they are named differently.
 */
export async function clusterIdentity(client: MongoClient, db: Db): Promise<string> {
  const admin = client.db('admin');
  const hello = await admin.command({ hello: 1 });
  if (hello['msg'] === 'isdbgrid') {
    const version = await client.db('config').collection('version').findOne();
    return `${String(version?.['clusterId'])}/${db.databaseName}`;
  }
  if (hello['setName'] === undefined) return `standalone ${String(hello['me'] ?? client.options.hosts.join(','))}/${db.databaseName}`;
  try {
    const { config } = (await admin.command({ replSetGetConfig: 1 })) as {
      config: { settings: { replicaSetId: { toHexString(): string } } };
    };
    return `${config.settings.replicaSetId.toHexString()}/${db.databaseName}`;
  } catch (error) {
    if (mongoCode(error) !== 13) throw error;
    return `set ${String(hello['setName'])}/${db.databaseName}`;
  }
}
