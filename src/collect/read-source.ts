import { readText } from './read-text.ts';
import { arrayRecords, parsed, type JsonRecord } from './json-records.ts';
import { contentKindOf, type ContentKind } from './content-kind.ts';
import type { Document } from '../contracts/document.ts';
import type { Finding } from './finding.ts';
import { lineRecords } from './json-lines.ts';
import type { SourceFile, SourceListing } from './list-files.ts';
import { documentId, documentsOf, isDocumentRecord } from './record-documents.ts';

/** What reading a source comes upon, in the order of its files. */
export type Found =
  /** A document; `read` fetches it, or says why it cannot be had. */
  | { readonly kind: 'document'; readonly id: string; readonly address: string; read(): Promise<Document | Finding> }
  /** Something that may have held a document whose address is not known: the source was not read completely. */
  | { readonly kind: 'lost'; readonly finding: Finding }
  /** Something that is no document, and never was meant to be one. */
  | { readonly kind: 'unsupported' };

/** How sources are read. */
export interface ReadOptions {
  readonly tenant: string;
  /** A file (of JSON Lines: a line) of this many bytes or more is not read. */
  readonly maxBytes: number;
}

/** Reads a listed source. Nothing in it ends the reading: what cannot be read is found as such, and the rest goes on. */
export async function* readSource(listing: SourceListing, options: ReadOptions): AsyncGenerator<Found> {
  for (const finding of listing.findings) yield { kind: 'lost', finding };
  for (const file of listing.files) {
    const named = listing.kind === 'file';
    const kind = contentKindOf(file.path) ?? (named ? ({ kind: 'document', contentType: 'text', language: null } as const) : null);
    if (kind === null) yield { kind: 'unsupported' };
    else if (kind.kind === 'document') yield documentFile(file, kind, listing, options);
    else yield* recordsFile(file, kind.kind, listing, options);
  }
}

function documentFile(file: SourceFile, kind: ContentKind & { kind: 'document' }, listing: SourceListing, options: ReadOptions): Found {
  const { address } = file;
  const id = documentId(options.tenant, address);
  const read = async (): Promise<Document | Finding> => {
    const text = await readText(file.path, address, options.maxBytes);
    if (!text.ok) return text.finding;
    return {
      id,
      tenant: options.tenant,
      address,
      origin: listing.origin,
      title: titleOf(text.text, kind.contentType),
      content: text.text,
      contentType: kind.contentType,
      language: kind.language,
      authorId: null,
      authorName: null,
      platform: listing.kind === 'git' ? 'git' : 'file',
    };
  };
  return { kind: 'document', id, address, read };
}

async function* recordsFile(
  file: SourceFile,
  kind: 'json' | 'json-lines',
  listing: SourceListing,
  options: ReadOptions,
): AsyncGenerator<Found> {
  const { address } = file;
  const named = listing.kind === 'file';
  const source = { tenant: options.tenant, origin: listing.origin, address };
  let isExport = false;
  try {
    for await (const record of kind === 'json' ? jsonRecords(file, named, options.maxBytes) : lineRecords(file.path, options.maxBytes)) {
      if ('reason' in record) {
        yield { kind: 'lost', finding: record };
        return;
      }
      // A JSON file in a folder is most often no export at all (`package.json`); its first record tells.
      if (!isExport && record.ok && !isDocumentRecord(record.value) && !named) break;
      isExport = true;
      const read = record.ok ? documentsOf(record.value, source) : record;
      if (read.ok) {
        for (const document of read.documents) {
          yield { kind: 'document', id: document.id, address: document.address, read: async () => document };
        }
      } else {
        const where = `${address}:${record.line}`;
        yield {
          kind: 'lost',
          finding: { address: where, reason: 'broken-record', message: `The record at ${where} was left out: ${read.message}` },
        };
      }
    }
  } catch (error) {
    yield { kind: 'lost', finding: { address, reason: 'unreadable', message: `${address} cannot be read: ${String(error)}` } };
    return;
  }
  if (isExport) return;
  if (named) {
    const message = `${address} holds no documents: expected records with \`content\` or \`text\``;
    yield { kind: 'lost', finding: { address, reason: 'not-documents', message } };
  } else yield { kind: 'unsupported' };
}

/** Records of a JSON file: those of an array (bare, or under `artifact_data`), one object, or JSON Lines under another name. */
async function* jsonRecords(file: SourceFile, named: boolean, maxBytes: number): AsyncGenerator<JsonRecord | Finding> {
  const read = await readText(file.path, file.address, maxBytes);
  if (!read.ok) {
    yield read.finding;
    return;
  }
  const opening = /^\s*(?:\{[^[\]{}]*"artifact_data"\s*:\s*)?\[/.exec(read.text);
  if (opening) {
    yield* arrayRecords(read.text, opening[0].length);
    return;
  }
  const whole = parsed(read.text, 1);
  const firstLine = read.text.slice(0, read.text.indexOf('\n') + 1);
  if (!whole.ok && parsed(firstLine, 1).ok) yield* lineRecords(file.path, maxBytes);
  // Configuration with comments is no broken export.
  else if (whole.ok || named) yield whole;
}

/** The title that a document gives itself. */
function titleOf(text: string, contentType: Document['contentType']): string | null {
  const title =
    contentType === 'markdown'
      ? /^#[ \t]+(.+?)[ \t#]*$/m.exec(text.split(/^(?:```|~~~)/m, 1)[0]!)?.[1]
      : contentType === 'html'
        ? /<title[^>]*>([^<]+)<\/title>/i.exec(text)?.[1]
        : undefined;
  return title?.replace(/\s+/g, ' ').trim() || null;
}
