import { createReadStream } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ArtifactReference } from '../contracts/artifact.ts';
import type { ArtifactDifference, Examples, Tally } from '../contracts/difference.ts';
import { type Json, sha256 } from '../contracts/digest.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import { linesOf } from './lines.ts';
import { memberChanges } from './members.ts';

/** Members of a JSON value and names of documents that are told; the rest is counted. */
const membersTold = 20;
const examplesTold = 5;

/** How two artifacts of one name differ: rows and the documents that they come from, members of a value, files of a folder. */
export async function compareArtifacts(
  before: ArtifactReference,
  after: ArtifactReference,
  store: ArtifactStore,
): Promise<ArtifactDifference> {
  if (before.kind !== after.kind) return { kind: 'unknown', what: `${before.kind} became ${after.kind}` };
  for (const reference of [before, after]) {
    if (reference.kind === 'json' && reference.inline !== undefined) continue;
    const stored = await store.has(reference.kind === 'folder' ? 'folder' : 'file', reference);
    if (!stored) return { kind: 'unknown', what: `the content ${reference === before ? 'before' : 'now'} is not stored any more` };
  }
  switch (before.kind) {
    case 'json': {
      const changes = memberChanges(await jsonOf(before, store), await jsonOf(after, store));
      return { kind: 'json', members: changes.slice(0, membersTold), more: Math.max(0, changes.length - membersTold) };
    }
    case 'rows':
      return compareRows(await store.localPath('file', before.digest), await store.localPath('file', after.digest));
    case 'folder':
      return compareFolders(await store.localPath('folder', before.digest), await store.localPath('folder', after.digest));
  }
}

async function jsonOf(reference: ArtifactReference, store: ArtifactStore): Promise<Json> {
  if (reference.kind === 'json' && reference.inline !== undefined) return reference.inline;
  return JSON.parse(await readFile(await store.localPath('file', reference.digest), 'utf8')) as Json;
}

/** The rows of one document, or of one id: how many, and a sum of their hashes that does not depend on their order. */
interface Group {
  rows: number;
  sum: number;
  readonly name: string;
}

interface Content {
  rows: number;
  /** Rows are canonical JSON, so equal rows are equal lines. */
  readonly lines: Map<string, number>;
  readonly groups: Map<string, Group>;
}

/** Sums stay whole numbers below this. */
const modulus = 2 ** 48;

async function contentOf(path: string): Promise<Content> {
  const content: Content = { rows: 0, lines: new Map(), groups: new Map() };
  for await (const line of linesOf(path)) {
    const hash = sha256(line).slice(0, 12);
    content.rows++;
    content.lines.set(hash, (content.lines.get(hash) ?? 0) + 1);
    for (const { id, name } of namesIn(JSON.parse(line))) {
      const group = content.groups.get(id) ?? { rows: 0, sum: 0, name };
      content.groups.set(id, group);
      group.rows++;
      group.sum = (group.sum + Number.parseInt(hash, 16)) % modulus;
    }
  }
  return content;
}

/** The documents that a row comes from, or its own id, as a person calls them. */
function namesIn(row: unknown): readonly { readonly id: string; readonly name: string }[] {
  if (typeof row !== 'object' || row === null) return [];
  const { sources, id, address } = row as { sources?: unknown; id?: unknown; address?: unknown };
  const ids = Array.isArray(sources) ? [...new Set((sources as readonly { document?: unknown }[]).map((source) => source.document))] : [id];
  return ids
    .filter((each) => typeof each === 'string' || typeof each === 'number')
    .map((each) => ({ id: String(each), name: ids.length === 1 && typeof address === 'string' ? address : String(each) }));
}

async function compareRows(beforePath: string, afterPath: string): Promise<ArtifactDifference> {
  const [before, after] = [await contentOf(beforePath), await contentOf(afterPath)];
  let kept = 0;
  for (const [line, count] of after.lines) kept += Math.min(count, before.lines.get(line) ?? 0);
  const rows: Tally = { before: before.rows, after: after.rows, added: after.rows - kept, removed: before.rows - kept, changed: 0 };
  if (before.groups.size === 0 && after.groups.size === 0) return { kind: 'rows', rows, documents: null, examples: [] };
  const changed = [...after.groups].filter(([id, group]) => {
    const earlier = before.groups.get(id);
    return earlier !== undefined && (earlier.sum !== group.sum || earlier.rows !== group.rows);
  });
  const documents = tally(
    before.groups,
    after.groups,
    changed.map(([, group]) => group.name),
    ({ name }) => name,
  );
  return { kind: 'rows', rows, documents: documents.tally, examples: documents.examples };
}

function tally<Value>(
  before: ReadonlyMap<string, Value>,
  after: ReadonlyMap<string, Value>,
  changed: readonly string[],
  nameOf: (value: Value, key: string) => string,
): { readonly tally: Tally; readonly examples: Examples } {
  const missingIn = (some: ReadonlyMap<string, Value>, others: ReadonlyMap<string, Value>): string[] =>
    [...some].filter(([key]) => !others.has(key)).map(([key, value]) => nameOf(value, key));
  const [added, removed] = [missingIn(after, before), missingIn(before, after)];
  const examples = (
    [
      ['changed', changed],
      ['added', added],
      ['removed', removed],
    ] as const
  ).flatMap(([change, names]) => names.map((name) => ({ name, change })));
  return {
    tally: { before: before.size, after: after.size, added: added.length, removed: removed.length, changed: changed.length },
    examples: examples.slice(0, examplesTold),
  };
}

async function compareFolders(before: string, after: string): Promise<ArtifactDifference> {
  const [earlier, later] = [await filesIn(before), await filesIn(after)];
  const changed: string[] = [];
  for (const [path, bytes] of later) {
    const was = earlier.get(path);
    if (was !== undefined && (was !== bytes || !(await equalFiles(join(before, path), join(after, path))))) changed.push(path);
  }
  const files = tally(earlier, later, changed, (_bytes, path) => path);
  return { kind: 'folder', files: files.tally, examples: files.examples };
}

async function filesIn(folder: string): Promise<ReadonlyMap<string, number>> {
  const files = new Map<string, number>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path), (await stat(path)).size);
  }
  return files;
}

/** Whether two files of one size hold the same bytes; read only up to the first difference. */
async function equalFiles(left: string, right: string): Promise<boolean> {
  const other = createReadStream(right, { highWaterMark: 1 << 20 })[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for await (const piece of createReadStream(left, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      const { value, done } = await other.next();
      if (done === true || !piece.equals(value)) return false;
    }
    return true;
  } finally {
    await other.return?.();
  }
}
