import type { AttemptRow, WorkerRow } from '../../contracts/attempt.ts';
import type { Json } from '../../contracts/digest.ts';
import type { MetadataStore, TableRow, WriteOutcome } from '../../ports/metadata-store.ts';

/** Attempts that runs have handed over: AttemptRow by `<run>/<number>`. */
export const attemptsTable = 'attempts';
/** Workers that are alive: WorkerRow by id. */
export const workersTable = 'host-workers';
/** What attempts said: AttemptEvent lists by `<attempt>/<fence>/<number>`. */
export const attemptEventsTable = 'attempt-events';

/** A worker that has given no sign for so long, by the store's clock, holds nothing any more. */
export const workerLeaseMs = 6000;
/** Attempts of a run that nobody goes on with vanish after a day. */
const attemptKeptMs = 24 * 3_600_000;
/** What an attempt says is of interest while its run listens. */
const eventsKeptMs = 3_600_000;

/** An attempt with the revision that a write to it must expect. */
export interface StoredAttempt {
  readonly id: string;
  readonly revision: number;
  readonly row: AttemptRow;
}

/** The attempts of these ids, in their order; null for one that is gone. */
export async function readAttempts(store: MetadataStore, ids: readonly string[]): Promise<readonly (StoredAttempt | null)[]> {
  const rows = await store.get(attemptsTable, ids);
  return rows.map((row) => row && { id: row.key, revision: row.revision, row: row.row as unknown as AttemptRow });
}

/**
 * Writes an attempt if nobody else has since: the new revision, or null. A null row removes it.
 * The run alone decides what an attempt came to, so that a row may go with its server: the run then writes it again.
 */
export async function writeAttempt(
  store: MetadataStore,
  { id, revision, row }: Omit<StoredAttempt, 'row'> & { readonly row: AttemptRow | null },
): Promise<number | null> {
  const write = { key: id, expectedRevision: revision, row: row as unknown as Json | null };
  const [outcome] = await store.putMany(attemptsTable, [row === null ? write : { ...write, expiresInMs: attemptKeptMs }], 'passing');
  return outcome!.ok ? outcome!.revision : null;
}

/** The workers that are alive, by id. */
export async function readWorkers(store: MetadataStore): Promise<ReadonlyMap<string, WorkerRow>> {
  const rows = await store.scan(workersTable, '', '', 10_000);
  return new Map(rows.map((row) => [row.key, row.row as unknown as WorkerRow]));
}

/** Says that a worker is alive: expects its last revision, 0 at first. */
export async function writeWorker(store: MetadataStore, id: string, revision: number, row: WorkerRow): Promise<WriteOutcome> {
  const write = { key: id, expectedRevision: revision, row: row as unknown as Json, expiresInMs: workerLeaseMs };
  return (await store.putMany(workersTable, [write]))[0]!;
}

/** Keeps what an attempt said. */
export async function writeEvents(store: MetadataStore, key: string, events: Json): Promise<void> {
  await store.putMany(attemptEventsTable, [{ key, expectedRevision: null, row: events, expiresInMs: eventsKeptMs }], 'passing');
}

/** What an attempt said after a key. */
export function readEvents(store: MetadataStore, attempt: string, after: string): Promise<readonly TableRow[]> {
  return store.scan(attemptEventsTable, `${attempt}/`, after, 100);
}

/** The lane of attempts for a pool. */
export function poolLane(pool: string): string {
  return `pool/${pool}`;
}

/** The lane in which a run hears of attempts that have ended. */
export function endedLane(run: string): string {
  return `ended/${run}`;
}

/** The key of an attempt in the queue: another one for each holder, since a queue takes the same item only once. */
export function itemKey(id: string, fence: number): string {
  return `${id}#${fence}`;
}

/** The attempt and the fence that a key in the queue names. */
export function parseItemKey(key: string): { readonly id: string; readonly fence: number } {
  const at = key.lastIndexOf('#');
  return { id: key.slice(0, at), fence: Number(key.slice(at + 1)) };
}
