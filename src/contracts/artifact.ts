import { z } from 'zod';
import { Digest } from './document.ts';

/** A small JSON value of a schema under a literal name. */
export interface JsonArtifact<Name extends string = string, Value = unknown> {
  readonly kind: 'json';
  readonly name: Name;
  readonly schema: z.ZodType<Value>;
  /** The value carries a `verdict` that may refuse the run. */
  readonly gate?: true;
}

/** Rows of one schema under a literal name: canonical JSON, one a line. */
export interface RowsArtifact<Name extends string = string, Row = unknown> {
  readonly kind: 'rows';
  readonly name: Name;
  readonly schema: z.ZodType<Row>;
}

/** Files under a literal name: a model, an adapter. */
export interface FolderArtifact<Name extends string = string> {
  readonly kind: 'folder';
  readonly name: Name;
}

/** Any of the three kinds. */
// oxlint-disable-next-line typescript/no-explicit-any -- a schema's value is invariant; only `any` lets every artifact be one of these
export type AnyArtifact = JsonArtifact<string, any> | RowsArtifact<string, any> | FolderArtifact<string>;

/** Declares a JSON artifact; the schema must neither transform nor coerce. */
export function json<const Name extends string, Value>(name: Name, schema: z.ZodType<Value>): JsonArtifact<Name, Value> {
  return { kind: 'json', name, schema };
}

/** `refuse` always makes the run refused; `fail` and `undecided` do under a strict gate, and are shown in any case. */
export const Verdict = z.enum(['pass', 'refuse', 'fail', 'undecided']);
export type Verdict = z.output<typeof Verdict>;

/** Declares the JSON artifact of a gate: its verdict decides what may follow, its reasons are shown to the user. */
export function verdict<const Name extends string, Value extends { readonly verdict: Verdict; readonly reasons: readonly string[] }>(
  name: Name,
  schema: z.ZodType<Value>,
): JsonArtifact<Name, Value> {
  return { kind: 'json', name, schema, gate: true };
}

/** Declares an artifact of rows; the schema must neither transform nor coerce. */
export function rows<const Name extends string, Row>(name: Name, schema: z.ZodType<Row>): RowsArtifact<Name, Row> {
  return { kind: 'rows', name, schema };
}

/** Declares an artifact that is a folder of files. */
export function folder<const Name extends string>(name: Name): FolderArtifact<Name> {
  return { kind: 'folder', name };
}

/** The content of an artifact, wherever it is stored. `json` up to 64 KB stands inline. */
export const ArtifactReference = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('json'), name: z.string(), digest: Digest, bytes: z.int(), inline: z.json().optional() }),
  z.strictObject({ kind: z.literal('rows'), name: z.string(), digest: Digest, bytes: z.int(), rows: z.int() }),
  z.strictObject({ kind: z.literal('folder'), name: z.string(), digest: Digest, bytes: z.int(), files: z.int() }),
]);
export type ArtifactReference = z.output<typeof ArtifactReference>;
