import type { BSON } from 'mongodb';
import { revisionOf, type Document, type StoredDocument } from '../contracts/document.ts';
import type { Problem } from '../contracts/problem.ts';

/** A collection of another application whose documents are indexed as they are; paths are joined by dots. */
export interface MappedCollection {
  readonly collection: string;
  readonly tenant: string;
  readonly fields: {
    readonly content: string;
    readonly address?: string | undefined;
    readonly title?: string | undefined;
    readonly authorId?: string | undefined;
    readonly authorName?: string | undefined;
    readonly platform?: string | undefined;
    readonly language?: string | undefined;
  };
  readonly contentType: Document['contentType'];
  /** Where the time of the last change stands; only a source without change streams needs it. */
  readonly changedAt?: string | undefined;
}

/** A document out of what stands in the collection, or the first path at which it is none. */
export function mapDocument(
  raw: BSON.Document,
  id: string,
  { collection, tenant, fields, contentType }: MappedCollection,
  database: string,
): StoredDocument | Problem {
  const origin = `mongodb:${database}.${collection}`;
  const wrong = (path: string, expected: string, value: unknown): Problem => ({
    reason: 'document-unmappable',
    message: `Document ${id} cannot be indexed: ${path} does not hold what is mapped from it`,
    where: `${database}.${collection}: ${path}`,
    expected,
    found: kindOf(value),
    hint: `Mend the document, or the mapping of ${collection} in documentStore.namespaces.`,
    exit: 1,
  });
  const content = valueAt(raw, fields.content);
  if (typeof content !== 'string') return wrong(fields.content, 'a text', content);
  const told: Record<string, string | null> = {};
  for (const name of ['address', 'title', 'authorId', 'authorName', 'platform', 'language'] as const) {
    const path = fields[name];
    const value = path === undefined ? null : (valueAt(raw, path) ?? null);
    const text = value === null ? null : textOf(value);
    if (path !== undefined && text === undefined) return wrong(path, 'a text, a number or an id', value);
    told[name] = text ?? null;
  }
  const document: Document = {
    id,
    tenant,
    address: told['address'] ?? `${origin}/${id.slice(collection.length + 1)}`,
    origin,
    title: told['title'] ?? null,
    content,
    contentType,
    language: told['language'] ?? null,
    authorId: told['authorId'] ?? null,
    authorName: told['authorName'] ?? null,
    platform: told['platform'] ?? 'mongodb',
  };
  for (const [name, value] of Object.entries(document))
    if (typeof value === 'string' && !value.isWellFormed()) return wrong(fields[name as 'content'] ?? name, 'text that is Unicode', value);
  return { ...document, revision: revisionOf(document), vanished: false };
}

/** What stands at a path; a key that holds dots itself is found too. */
export function valueAt(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const record = value as Record<string, unknown>;
  if (Object.hasOwn(record, path)) return record[path];
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    const found = Object.hasOwn(record, path.slice(0, dot)) ? valueAt(record[path.slice(0, dot)], path.slice(dot + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A scalar as text; undefined where it is none. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  const type = bsonType(value);
  if (type === 'ObjectId' || type === 'Long' || type === 'Decimal128' || type === 'UUID') return String(value);
  if (type === 'Binary' && (value as { sub_type: number }).sub_type === 4)
    return (value as { toUUID(): { toHexString(): string } }).toUUID().toHexString();
  return undefined;
}

function bsonType(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null ? (value as { _bsontype?: string })._bsontype : undefined;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `a text that is not well formed`;
  return bsonType(value) ?? (value instanceof Date ? 'a date' : typeof value);
}

/** Whether mapping a document ended in a problem. */
export function isProblem(mapped: StoredDocument | Problem): mapped is Problem {
  return 'reason' in mapped;
}
