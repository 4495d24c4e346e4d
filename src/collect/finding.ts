/** Why something in a source did not become a document. */
export type FindingReason =
  | 'binary'
  | 'broken-json'
  | 'broken-record'
  | 'empty'
  | 'invalid-utf8'
  | 'not-documents'
  | 'too-large'
  | 'unreadable';

/** Something in a source that did not become a document: named, counted, and in nobody's way. */
export interface Finding {
  /** The document's address, or the file and line where no address could be read. */
  readonly address: string;
  readonly reason: FindingReason;
  /** One sentence that stands alone. */
  readonly message: string;
}
