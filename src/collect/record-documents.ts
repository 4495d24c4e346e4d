import { z } from 'zod';
import type { Document } from '../contracts/document.ts';
import { sha256, uuidv5, canonicalJson } from '../contracts/digest.ts';
import { contentKindOf } from './content-kind.ts';

/** What a record's documents have in common with their source. */
export interface RecordSource {
  readonly tenant: string;
  readonly origin: string;
  /** Address of the file that holds the record: the base of the address of a record without a link. */
  readonly address: string;
}

/** The documents that a record holds, or what it lacks. */
export type RecordRead = { readonly ok: true; readonly documents: readonly Document[] } | { readonly ok: false; readonly message: string };

const Text = z.string().nullish();
/** A plain id, or MongoDB's extended JSON of one. */
const RecordId = z.union([z.string(), z.number(), z.object({ $oid: z.string() })]).nullish();

/** An exported record: an article, a post, a repository, or any object with a text. Fields that are not named are not read. */
const ExportedRecord = z.object({
  _id: RecordId,
  id: RecordId,
  content: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
  text: Text,
  title: Text,
  name: Text,
  link: Text,
  url: Text,
  platform: Text,
  author_id: Text,
  author_full_name: Text,
  author: Text,
});
type ExportedRecord = z.output<typeof ExportedRecord>;

/** The id of the document at an address: stable while tenant and address are. */
export function documentId(tenant: string, address: string): string {
  return uuidv5(canonicalJson([tenant, address]));
}

/** Whether a JSON value looks like a record that holds a document. */
export function isDocumentRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('content' in value || 'text' in value);
}

/** Reads the documents out of one exported record; only a repository holds more than one. */
export function documentsOf(value: unknown, source: RecordSource): RecordRead {
  const parsed = ExportedRecord.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    return { ok: false, message: issue.path.length === 0 ? 'it is not an object' : `\`${issue.path.join('.')}\`: ${issue.message}` };
  }
  const record = parsed.data;
  const files = repositoryFiles(record);
  const documents = files
    ? files.map(([path, content]) => documentOf(record, content, source, path))
    : [documentOf(record, contentOf(record), source, null)];
  const whole = documents.filter((document) => document !== null);
  return whole.length > 0 ? { ok: true, documents: whole } : { ok: false, message: 'it has no text under `content` or `text`' };
}

function documentOf(record: ExportedRecord, written: string, source: RecordSource, path: string | null): Document | null {
  // Half of a surrogate pair, which JSON can spell and UTF-8 cannot.
  const content = written.toWellFormed();
  if (content.trim() === '') return null;
  const address = addressOf(record, content, source.address, path);
  const kind = path === null ? null : contentKindOf(path);
  return {
    id: documentId(source.tenant, address),
    tenant: source.tenant,
    address,
    origin: source.origin,
    title: path ?? titleOf(record)?.toWellFormed() ?? null,
    content,
    ...(kind?.kind === 'document'
      ? { contentType: kind.contentType, language: kind.language }
      : { contentType: /^\s*<(?:!doctype|html|body|div|p|article)\b/i.test(content) ? 'html' : 'markdown', language: null }),
    authorId: filled(record.author_id),
    authorName: filled(record.author_full_name) ?? filled(record.author),
    platform: filled(record.platform) ?? (path === null ? 'file' : 'git'),
  };
}

/** Link where there is one, else the file and the record's id; without either, what the record says is all that tells it apart. */
function addressOf(record: ExportedRecord, content: string, file: string, path: string | null): string {
  const id = record._id ?? record.id;
  const base =
    filled(record.link) ??
    filled(record.url) ??
    `${file}#${id == null ? sha256(content).slice(0, 16) : typeof id === 'object' ? id.$oid : id}`;
  return path === null ? base : `${base.replace(/\/$/, '')}/${path}`;
}

/** Files of a repository's content map; null for every other record. */
function repositoryFiles(record: ExportedRecord): [string, string][] | null {
  if (typeof record.content !== 'object' || record.content === null || !filled(record.name)) return null;
  const entries = Object.entries(record.content);
  if (!entries.every(([path, content]) => typeof content === 'string' && contentKindOf(path) !== null)) return null;
  return entries as [string, string][];
}

function titleOf(record: ExportedRecord): string | null {
  return filled(record.title) ?? (typeof record.content === 'object' ? filled(record.content?.['Title']) : null) ?? filled(record.name);
}

/** The text of a record. Of a content map: the subtitle unless the content repeats it, the content, and whatever else is text. */
function contentOf({ content, text }: ExportedRecord): string {
  if (content == null) return text ?? '';
  if (typeof content === 'string') return content;
  const { Title: _title, Subtitle, Content, language: _language, ...others } = content;
  const body = filled(Content) ?? '';
  const subtitle = filled(Subtitle);
  const repeated = subtitle !== null && oneLine(body).includes(oneLine(subtitle));
  const parts = [repeated ? null : subtitle, body, ...Object.values(others)];
  return parts.filter((part) => typeof part === 'string' && part.trim() !== '').join('\n\n');
}

function filled(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
