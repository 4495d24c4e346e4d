import { setTimeout as delay } from 'node:timers/promises';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { Change } from '../ports/change-feed.ts';
import type { DocumentKey, DocumentStore, Version } from '../ports/document-store.ts';
import { applyDocuments, type Applied, type ApplyContext, type PreparedDocument } from './apply.ts';
import type { DeadLetters } from './dead-letters.ts';
import { Ledger } from './ledger.ts';
import { type ChunkMaker, prepareDocuments } from './prepare.ts';
import { readAhead } from './read-ahead.ts';

/** What a batch of changes is applied with. */
export interface BatchContext extends ApplyContext {
  readonly documentStore: DocumentStore;
  readonly maker: ChunkMaker;
  readonly deadLetters: DeadLetters;
}

/** A key that is settled: at which version it was read, and whether it had to be put aside. */
export interface SettledKey {
  readonly key: DocumentKey;
  readonly version: Version;
  readonly dead: boolean;
}

/** Pauses before keys are read again that another writer holds, or that the store does not know as new as they must be. */
const pausesMs = [10, 30, 100, 300, 1000, 2000];
/** Pauses before a call is made again that a server did not answer. */
const troubleMs = [200, 1000, 3000];
/** Reasons for which a server may do better in a moment. */
const passingReasons = new Set([
  'qdrant-unreachable',
  'qdrant-unavailable',
  'mongodb-unreachable',
  'state-locked',
  'service-died',
  'service-lost',
]);
/** Reasons that lie in one document. */
const poisonReasons = new Set(['vector-dimension', 'vector-not-finite', 'qdrant-refused', 'point-too-large']);

/** Whether trying again may help: a server was away, or too busy. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ProblemError) return passingReasons.has(error.problem.reason);
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return name === 'TimeoutError' || (typeof code === 'string' && /^(ECONN|ETIMEDOUT|EPIPE|EAI_AGAIN|UND_ERR)/.test(code));
}

/**
 * Brings the index in step with changed keys: each is read no older than its change, and applied, or put aside with its cause.
 * Tells of each key as soon as it is settled; resolves when all are.
 */
export async function applyChanges(
  changes: readonly Change[],
  context: BatchContext,
  settled: (keys: readonly SettledKey[]) => void,
): Promise<void> {
  const open = new Map(changes.map((change) => [Ledger.key(change.key), change]));
  for (let tried = 0; open.size > 0; tried++) {
    const behind: Applied['behind'][number][] = [];
    const old: Change[] = [];
    const keys = [...open.values()].map(({ key }) => key);
    for await (const documents of readAhead(prepareDocuments(keys, context.documentStore, context.maker))) {
      context.signal?.throwIfAborted();
      await context.reached?.('after-read');
      const isOld = ({ key, version }: PreparedDocument) => version < open.get(Ledger.key(key))!.version;
      for (const { key } of documents.filter(isOld)) old.push(open.get(Ledger.key(key))!);
      const fresh = documents.filter((document) => !isOld(document));
      const broken = fresh.filter(({ problem }) => problem !== undefined);
      const applied = await applyApart(
        fresh.filter(({ problem }) => problem === undefined),
        context,
        open,
      );
      behind.push(...applied.behind);
      const dead = [...applied.dead, ...broken.map(({ key, version, problem }) => ({ key, version, problem: problem! }))];
      await context.deadLetters.add(dead);
      await context.deadLetters.clear(applied.settled);
      const versions = new Map(documents.map(({ key, version }) => [Ledger.key(key), version]));
      const done = [...applied.settled.map((key) => ({ key, dead: false })), ...dead.map(({ key }) => ({ key, dead: true }))];
      for (const { key } of done) open.delete(Ledger.key(key));
      count(fresh, done, context);
      settled(done.map(({ key, dead }) => ({ key, dead, version: versions.get(Ledger.key(key))! })));
    }
    if (open.size === 0) return;
    if (tried === pausesMs.length) throw new ProblemError(stuck(behind, old, open.size, context));
    await delay(pausesMs[tried]! * (0.5 + Math.random()), undefined, context.signal && { signal: context.signal });
  }
}

function count(fresh: readonly PreparedDocument[], done: readonly { readonly dead: boolean }[], { count }: BatchContext): void {
  count?.('changes', done.length);
  const empty = fresh.filter(({ exists, points, problem }) => exists && points.length === 0 && problem === undefined).length;
  if (empty > 0) count?.('documents-without-points', empty);
  const dead = done.filter((one) => one.dead).length;
  if (dead > 0) count?.('dead-letters', dead);
}

/** Applies documents together, and each alone where one of them cannot be: then that one is put aside. */
async function applyApart(
  documents: readonly PreparedDocument[],
  context: BatchContext,
  changes: ReadonlyMap<string, Change>,
): Promise<Applied> {
  if (documents.length === 0) return { settled: [], again: [], behind: [], dead: [] };
  try {
    return await patiently(() => applyDocuments(documents, context, changes), context.signal);
  } catch (error) {
    if (!(error instanceof ProblemError) || !poisonReasons.has(error.problem.reason)) throw error;
    const [only, ...others] = documents;
    if (others.length === 0)
      return { settled: [], again: [], behind: [], dead: [{ key: only!.key, version: only!.version, problem: error.problem }] };
    const parts: Applied[] = [];
    for (const document of documents) parts.push(await applyApart([document], context, changes));
    return {
      settled: parts.flatMap((part) => part.settled),
      again: parts.flatMap((part) => part.again),
      behind: parts.flatMap((part) => part.behind),
      dead: parts.flatMap((part) => part.dead),
    };
  }
}

/** Makes a call again while its server is in trouble, for a while. */
async function patiently<Value>(call: () => Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  for (let tried = 0; ; tried++) {
    try {
      return await call();
    } catch (error) {
      if (tried === troubleMs.length || !isPassing(error)) throw error;
      await delay(troubleMs[tried]! * (0.5 + Math.random()), undefined, signal && { signal });
    }
  }
}

function stuck(behind: Applied['behind'], old: readonly Change[], open: number, { generation }: BatchContext): Problem {
  const [first] = behind;
  if (first) {
    return {
      reason: 'gap-detected',
      message: `Document ${first.key.id} was read at version ${first.read}, and the index already holds version ${first.held} of it: the document store has gone back in time`,
      hint: 'See what would be done about it, then have every document read again: twin reconcile',
      exit: 4,
    };
  }
  if (old.length > 0) {
    return {
      reason: 'source-behind',
      message: `The document store does not know ${old.length} changes that its change feed has told of`,
      expected: `version ${old[0]!.version} of document ${old[0]!.key.id}`,
      found: 'an older one',
      hint: 'A new primary has not caught up: run it again.',
      exit: 1,
    };
  }
  return {
    reason: 'concurrent-writer',
    message: `Another process keeps changing ${open} documents of ${generation} at the same time`,
    hint: 'Stop the other process, then run it again',
    exit: 1,
  };
}
