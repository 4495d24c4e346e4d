import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { AnyArtifact, ArtifactReference, JsonArtifact, RowsArtifact } from '../contracts/artifact.ts';
import { canonicalJson, sha256 } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';
import { linesOf } from '../history/lines.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import { storeText } from './store-text.ts';
import type { Adoptable } from './values.ts';

/** JSON up to this many bytes stands in the journal itself. */
const inlineLimit = 64 * 1024;
/** Characters of rows that are gathered before they are written to the file. */
const flushLimit = 256 * 1024;
/** Writes that may wait for the disk at once; a step that awaits its writes has one. */
const mostWaiting = 64;

/** One output of an attempt: what the step writes with, and what it comes to. */
export interface OutputWriter {
  readonly face: unknown;
  finish(): Promise<ArtifactReference>;
  /** Lets go of what is open; harmless after `finish`. */
  close?(): Promise<void>;
}

/** What rows are written with; `writeChecked` takes rows that are known to fit the schema. */
export interface RowsFace {
  write(row: unknown): Promise<void>;
  writeChecked(row: unknown): Promise<void>;
  adopt(content: Adoptable): Promise<void>;
}

/** The outputs of one attempt. */
export interface OpenOutputs {
  /** What the step writes with, by output. */
  readonly faces: Readonly<Record<string, unknown>>;
  /** Stores everything; refuses what was not written. */
  finish(): Promise<Record<string, ArtifactReference>>;
  /** Removes whatever was not stored. */
  discard(): Promise<void>;
}

/** Opens the outputs of an attempt, in a folder of its own, so that an attempt that was given up cannot touch another's. */
export async function openOutputs(
  address: string,
  artifacts: Readonly<Record<string, AnyArtifact>>,
  store: ArtifactStore,
  onWrite: () => void = () => undefined,
): Promise<OpenOutputs> {
  let stage: Promise<string> | undefined;
  const staged = async (name: string): Promise<string> => join(await (stage ??= store.stage()), name);
  const writers: Record<string, OutputWriter> = {};
  for (const [name, artifact] of Object.entries(artifacts)) {
    const output = { address, name, store, onWrite };
    if (artifact.kind === 'json') writers[name] = jsonWriter(artifact, output);
    else if (artifact.kind === 'rows') writers[name] = rowsWriter(artifact, output, () => staged(`${name}.jsonl`));
    else writers[name] = await folderWriter(artifact.name, output, await staged(name));
  }
  return {
    faces: Object.fromEntries(Object.entries(writers).map(([name, { face }]) => [name, face])),
    async finish() {
      const references: Record<string, ArtifactReference> = {};
      for (const [name, writer] of Object.entries(writers)) references[name] = await writer.finish();
      return references;
    },
    async discard() {
      for (const writer of Object.values(writers)) await writer.close?.();
      if (stage) await rm(await stage, { recursive: true, force: true });
    },
  };
}

interface OutputPlace {
  readonly address: string;
  readonly name: string;
  readonly store: ArtifactStore;
  /** Hears of every row. */
  readonly onWrite: () => void;
}

function jsonWriter(artifact: JsonArtifact, output: OutputPlace): OutputWriter {
  let text: string | undefined;
  const write = async (value: unknown): Promise<void> => {
    if (text !== undefined) throw misuse(output, 'written-twice', 'was written twice', 'one call of write');
    text = jsonOf(checked(artifact.schema, value, output, null), output, null);
  };
  return {
    face: { write },
    async finish() {
      if (text === undefined) throw misuse(output, 'not-written', 'was not written', 'one call of write');
      const bytes = Buffer.byteLength(text);
      const reference = { kind: 'json', name: artifact.name } as const;
      if (bytes > inlineLimit) return { ...reference, ...(await storeText(output.store, text)) };
      return { ...reference, digest: sha256(text), bytes, inline: JSON.parse(text) as never };
    },
  };
}

/** Writes rows as canonical JSON, one a line; `write` resolves late while the disk is behind, so that memory stays flat. */
function rowsWriter(artifact: RowsArtifact, output: OutputPlace, path: () => Promise<string>): OutputWriter {
  let handle: FileHandle | undefined;
  let file = '';
  let lines: string[] = [];
  let gathered = 0;
  let count = 0;
  let adopted: ArtifactReference | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const flush = (): Promise<unknown> => {
    const text = lines.join('');
    lines = [];
    gathered = 0;
    waiting++;
    writing = writing.then(async () => {
      if (!handle) handle = await open((file = await path()), 'wx');
      await handle.writeFile(text);
      waiting--;
    });
    return writing;
  };
  /** Thrown at once and not by a promise, for whoever does not await one does not see it either. */
  const refuseFlood = (): void => {
    if (waiting > mostWaiting)
      throw misuse(output, 'not-awaited', 'is written faster than the disk takes it', 'await outputs.….write(row)');
  };
  const writeChecked = async (row: unknown): Promise<void> => {
    if (adopted) throw misuse(output, 'written-twice', 'was adopted and written', 'either adopt or write');
    output.onWrite();
    const line = jsonOf(row, output, count + 1);
    lines.push(line, '\n');
    gathered += line.length;
    count++;
    if (gathered >= flushLimit) await flush();
  };
  return {
    face: {
      writeChecked,
      write(row) {
        refuseFlood();
        try {
          return writeChecked(checked(artifact.schema, row, output, count + 1));
        } catch (error) {
          return Promise.reject(error);
        }
      },
      adopt: async ({ digest }) => {
        if (adopted || count > 0) throw misuse(output, 'written-twice', 'was adopted and written', 'either adopt or write');
        const source = await output.store.localPath('file', digest);
        let rows = 0;
        for await (const _line of linesOf(source)) rows++;
        adopted = { kind: 'rows', name: artifact.name, digest, bytes: (await stat(source)).size, rows };
      },
    } satisfies RowsFace,
    async finish() {
      if (adopted) return adopted;
      await flush();
      await handle!.close();
      handle = undefined;
      return { kind: 'rows', name: artifact.name, ...(await output.store.putFile(file)), rows: count };
    },
    async close() {
      await writing.catch(() => undefined);
      await handle?.close();
      handle = undefined;
    },
  };
}

async function folderWriter(name: string, output: OutputPlace, path: string): Promise<OutputWriter> {
  await mkdir(path, { recursive: true });
  let adopted: ArtifactReference | undefined;
  const adopt = async ({ digest }: Adoptable): Promise<void> => {
    const source = await output.store.localPath('folder', digest);
    const entries = await readdir(source, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const sizes = await Promise.all(files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size));
    adopted = { kind: 'folder', name, digest, bytes: sizes.reduce((sum, size) => sum + size, 0), files: files.length };
  };
  return {
    face: { path, adopt },
    async finish() {
      if (adopted) return adopted;
      if ((await readdir(path)).length === 0) throw misuse(output, 'not-written', 'holds no files', 'at least one file in its path');
      return { kind: 'folder', name, ...(await output.store.putFolder(path)) };
    },
  };
}

function checked(schema: z.ZodType, value: unknown, output: OutputPlace, row: number | null): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.length > 0 ? ` at ${issue.path.map(String).join('.')}` : '';
  throw new ProblemError({
    reason: 'invalid-output',
    message: `Step ${output.address} wrote ${row === null ? 'a value' : `row ${row}`} into ${output.name} that does not fit its schema${path}`,
    where: output.address,
    expected: issue.message,
    found: shortly(issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value)),
    exit: 1,
  });
}

/** The canonical JSON of what was written; NaN and its like have none. */
function jsonOf(value: unknown, output: OutputPlace, row: number | null): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    throw new ProblemError({
      reason: 'invalid-output',
      message: `Step ${output.address} wrote ${row === null ? 'a value' : `row ${row}`} into ${output.name} that JSON cannot hold: ${(error as Error).message}`,
      where: output.address,
      expected: 'finite numbers, text, booleans, null, and arrays and objects of them',
      hint: 'Write null, or leave the key out, where there is no number',
      exit: 1,
    });
  }
}

function shortly(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

function misuse(output: OutputPlace, reason: string, what: string, expected: string): ProblemError {
  return new ProblemError({
    reason,
    message: `Output ${output.name} of step ${output.address} ${what}`,
    where: output.address,
    expected,
    exit: 1,
  });
}
