import type { JsonArtifact, RowsArtifact } from '../contracts/artifact.ts';

/** Rows of an input: may be iterated any number of times. */
export interface RowReader<Row> extends AsyncIterable<Row> {
  readonly count: number;
  readonly digest: string;
  /** A local, read-only JSON Lines file of the rows. */
  path(): Promise<string>;
}

/** A folder that is an input. */
export interface FolderReader {
  readonly digest: string;
  /** A local, read-only folder. */
  path(): Promise<string>;
}

/** What a step sees of an input: the value, its rows, or its folder. */
export type InputOf<Artifact> =
  Artifact extends RowsArtifact<string, infer Row>
    ? RowReader<Row>
    : Artifact extends JsonArtifact<string, infer Value>
      ? Value
      : FolderReader;

/** Content that the artifact store holds already, as an output: nothing is copied. */
export interface Adoptable {
  readonly digest: string;
}

/**
 * What a step writes an output with. JSON is written exactly once; rows in the order in which they shall stay; a folder into `path`.
 * Rows and folders that are in the artifact store already are adopted by digest instead.
 */
export type OutputOf<Artifact> =
  Artifact extends RowsArtifact<string, infer Row>
    ? { write(row: Row): Promise<void>; adopt(content: Adoptable): Promise<void> }
    : Artifact extends JsonArtifact<string, infer Value>
      ? { write(value: Value): Promise<void> }
      : { readonly path: string; adopt(content: Adoptable): Promise<void> };

/** A row left out, with the reason that is counted: the only way to lose one. */
export interface Drop {
  readonly dropped: string;
}

/** Leaves a row out for a kebab-case reason. */
export function drop(_row: unknown, reason: string): Drop {
  return { dropped: reason };
}

/** What a map step makes of one row: a row, several, or none for a reason. */
export type Mapped<Row> = Row | readonly [Row, ...Row[]] | Drop;
