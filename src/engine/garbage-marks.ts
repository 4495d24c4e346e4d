import type { ArtifactReference } from '../contracts/artifact.ts';
import { type Json, digestOf } from '../contracts/digest.ts';
import type { RunSummary, StepResult } from '../contracts/run.ts';
import { foldRun } from '../history/fold.ts';
import { listRuns, readRun } from '../history/runs.ts';
import { effectsTable, type LatestKeys, latestTable, leasesTable, producersTable, resultsTable } from '../history/tables.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore, TableRow } from '../ports/metadata-store.ts';
import { text } from 'node:stream/consumers';

/** Which runs are kept with all that they made. Where both are said, a run is kept for either. */
export interface Retention {
  /** The newest ones of each pipeline. */
  readonly keepRuns: number | null;
  /** Those that started within so many milliseconds. */
  readonly keepMs: number | null;
}

/** A run that has not ended. */
export interface LiveRun {
  readonly run: string;
  readonly since: number;
}

/** Everything that something still needs. */
export interface Marks {
  readonly kept: readonly RunSummary[];
  readonly expired: readonly RunSummary[];
  /** Digests of content. */
  readonly content: ReadonlySet<string>;
  /** Keys of results whose content is kept. */
  readonly results: ReadonlySet<string>;
  /** Keys of results that are the past of what is kept: their rows stay, that lineage can be told. */
  readonly past: ReadonlySet<string>;
  /** Tables of the row cache that the map steps of kept results use. */
  readonly rowTables: ReadonlySet<string>;
}

const pageSize = 500;
const resultsAtOnce = 200;
const digests = /[0-9a-f]{64}/g;

/**
 * Marks what is needed: by kept runs, by the newest result of every step, by effects, and by whatever any other stream names (models, aliases, datasets, …).
 * What looks like a digest counts as one: garbage that is kept costs space, an artifact that is lost costs a model.
 */
export async function markNeeded(metadata: MetadataStore, artifacts: ArtifactStore, retention: Retention): Promise<Marks> {
  const { kept, expired } = await sortRuns(metadata, retention);
  const content = new Set<string>();
  const results = new Set<string>();
  const read = new Set<string>();
  for (const { run } of kept) {
    const view = foldRun(await readRun(metadata, run));
    for (const { key, artifacts: made } of view?.steps ?? []) {
      if (key !== null) results.add(key);
      await markArtifacts(made, { content, read, artifacts });
    }
  }
  for await (const { row } of rowsOf(metadata, latestTable)) for (const key of Object.values(row as LatestKeys)) results.add(key);
  for await (const { row } of rowsOf(metadata, effectsTable)) for (const digest of digestsIn(row)) results.add(digest);
  for await (const stream of streamsOf(metadata)) {
    if (stream.startsWith('run/')) continue;
    for (const { data } of await metadata.read(stream, 0)) for (const digest of digestsIn(data)) content.add(digest);
  }
  const rowTables = new Set<string>();
  for (const { parts, artifacts: made } of await resultsFor(metadata, results)) {
    await markArtifacts(made, { content, read, artifacts });
    // A map step's rows lie under the identity that its own key begins with; those that a step drives are named in its key.
    rowTables.add(`rows:${digestOf({ ...parts, inputs: {}, extra: {}, observed: null })}`);
    for (const digest of Object.values(parts.extra)) rowTables.add(`rows:${digest}`);
  }
  return { kept, expired, content, results, past: await pastOf(metadata, content), rowTables };
}

/** Runs that a living process has hold of, by their leases. */
export async function liveRuns(metadata: MetadataStore): Promise<readonly LiveRun[]> {
  const rows = await metadata.scan(leasesTable, 'run/', '', 10_000);
  return rows.map(({ key, row }) => ({ run: key.slice('run/'.length), since: (row as unknown as { readonly since: number }).since }));
}

/** Every row of a table, a page at a time. */
export async function* rowsOf(metadata: MetadataStore, table: string): AsyncGenerator<TableRow> {
  for (let after = ''; ;) {
    const page = await metadata.scan(table, '', after, pageSize);
    yield* page;
    if (page.length < pageSize) return;
    after = page.at(-1)!.key;
  }
}

async function sortRuns(metadata: MetadataStore, { keepRuns, keepMs }: Retention) {
  const now = await metadata.now();
  const rank = new Map<string, number>();
  const kept: RunSummary[] = [];
  const expired: RunSummary[] = [];
  // Ids of runs that began in the same second are in no order of time.
  const runs = (await listRuns(metadata, { limit: Infinity })).toSorted((left, right) => right.startedAt - left.startedAt);
  for (const run of runs) {
    const before = rank.get(run.pipeline) ?? 0;
    rank.set(run.pipeline, before + 1);
    const keeps = run.status === 'running' || (keepRuns !== null && before < keepRuns) || (keepMs !== null && now - run.startedAt < keepMs);
    (keeps ? kept : expired).push(run);
  }
  return { kept, expired };
}

interface Marking {
  readonly content: Set<string>;
  /** JSON artifacts that were looked through. */
  readonly read: Set<string>;
  readonly artifacts: ArtifactStore;
}

/** Marks artifacts, and what JSON among them names. */
async function markArtifacts(made: Readonly<Record<string, ArtifactReference>>, { content, read, artifacts }: Marking): Promise<void> {
  for (const reference of Object.values(made)) {
    content.add(reference.digest);
    if (reference.kind !== 'json' || read.has(reference.digest)) continue;
    read.add(reference.digest);
    if (reference.inline !== undefined) {
      for (const digest of digestsIn(reference.inline)) content.add(digest);
    } else if (await artifacts.has('file', reference)) {
      for (const [digest] of (await text(await artifacts.read(reference.digest))).matchAll(digests)) content.add(digest);
    }
  }
}

async function pastOf(metadata: MetadataStore, content: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const makers = new Map<string, string[]>();
  for await (const { key } of rowsOf(metadata, producersTable)) {
    const [digest, maker] = key.split('/') as [string, string];
    const known = makers.get(digest);
    if (known) known.push(maker);
    else makers.set(digest, [maker]);
  }
  const past = new Set<string>();
  const seen = new Set<string>(content);
  for (let front: readonly string[] = [...content]; front.length > 0;) {
    const keys = [...new Set(front.flatMap((digest) => makers.get(digest) ?? []))].filter((key) => !past.has(key));
    for (const key of keys) past.add(key);
    const inputs = (await resultsFor(metadata, keys)).flatMap(({ parts }) => Object.values(parts.inputs));
    front = [...new Set(inputs)].filter((digest) => !seen.has(digest));
    for (const digest of front) seen.add(digest);
  }
  return past;
}

async function resultsFor(metadata: MetadataStore, keys: Iterable<string>): Promise<readonly StepResult[]> {
  const all = [...keys];
  const found: StepResult[] = [];
  for (let start = 0; start < all.length; start += resultsAtOnce) {
    for (const row of await metadata.get(resultsTable, all.slice(start, start + resultsAtOnce)))
      if (row) found.push(row.row as unknown as StepResult);
  }
  return found;
}

async function* streamsOf(metadata: MetadataStore): AsyncGenerator<string> {
  for (let after = ''; ;) {
    const page = await metadata.streams('', after, pageSize);
    yield* page;
    if (page.length < pageSize) return;
    after = page.at(-1)!;
  }
}

function digestsIn(value: Json): readonly string[] {
  return [...JSON.stringify(value).matchAll(digests)].map(([digest]) => digest);
}
