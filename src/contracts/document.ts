import { z } from 'zod';
import { digestOf } from './digest.ts';

/** A sha256 in hexadecimal. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/);

/** A document and the revision of it that something was made from. */
export const SourceReference = z.strictObject({ document: z.string(), revision: Digest });
export type SourceReference = z.output<typeof SourceReference>;

/** How a document's text is to be read. */
export const ContentType = z.enum(['markdown', 'text', 'html', 'code']);
export type ContentType = z.output<typeof ContentType>;

/** A document as it was collected: its content unchanged, beside what is known of where it comes from. */
export const Document = z.strictObject({
  /** UUIDv5 of tenant and source address: stable while the address is. */
  id: z.string(),
  tenant: z.string(),
  /** Where it lives: a URL, or `file:` and a path relative to the collected root. One document a tenant and address. */
  address: z.string(),
  /** The collected source it came from (a root folder, an export file): what a complete read of that source may mark as vanished. */
  origin: z.string(),
  title: z.string().nullable(),
  content: z.string(),
  contentType: ContentType,
  /** The programming language of code (`typescript`), else null. */
  language: z.string().nullable(),
  authorId: z.string().nullable(),
  authorName: z.string().nullable(),
  /** `file`, `git`, or the platform that an export names (`medium`). */
  platform: z.string(),
});
export type Document = z.output<typeof Document>;

/** The sha256 of a document's canonical content and metadata; never of when it was read. */
export function revisionOf(document: Document): string {
  return digestOf(document);
}

/** A document beside its revision: a row of the artifact `documents`, and what cleaning takes. */
export const RevisedDocument = z.strictObject({ ...Document.shape, revision: Digest });
export type RevisedDocument = z.output<typeof RevisedDocument>;

/** A document as the store holds it. */
export interface StoredDocument extends RevisedDocument {
  /** Its source was read completely and no longer holds it: it stays in the index, and out of new datasets. */
  readonly vanished: boolean;
}

/** A document's text after cleaning: what chunks are slices of. */
export const CleanDocument = z.strictObject({
  id: z.string(),
  tenant: z.string(),
  sources: z.array(SourceReference).min(1),
  address: z.string(),
  title: z.string().nullable(),
  text: z.string(),
  contentType: ContentType,
  language: z.string().nullable(),
  authorId: z.string().nullable(),
  authorName: z.string().nullable(),
  platform: z.string(),
  /** Characters (code points) that cleaning removed or replaced, by reason. */
  dropped: z.record(z.string(), z.int().nonnegative()),
});
export type CleanDocument = z.output<typeof CleanDocument>;

/** An exact slice of a cleaned document that fits the embedder. */
export const Chunk = z.strictObject({
  document: z.string(),
  tenant: z.string(),
  /** Position among the document's chunks, from 0. */
  ordinal: z.int().nonnegative(),
  /** `[...clean.text].slice(start, end).join('')`. */
  text: z.string(),
  /** Offsets in code points of the cleaned text. */
  start: z.int().nonnegative(),
  end: z.int().positive(),
  /** Tokens of the embedder's input for this chunk, special tokens not counted. */
  tokens: z.int().positive(),
  /** The headings that the slice stands under, outermost first. */
  headings: z.array(z.string()),
  sources: z.array(SourceReference).min(1),
  address: z.string(),
  title: z.string().nullable(),
  contentType: ContentType,
  authorId: z.string().nullable(),
  authorName: z.string().nullable(),
  platform: z.string(),
});
export type Chunk = z.output<typeof Chunk>;

/** The text that is embedded for a chunk: its heading path on a line of its own, where it has one, then its text. */
export function embedderInput(chunk: Pick<Chunk, 'headings' | 'text'>): string {
  return chunk.headings.length === 0 ? chunk.text : `${chunk.headings.join(' > ')}\n${chunk.text}`;
}
