import type { Problem, Result } from '../contracts/problem.ts';
import { codeHasher } from '../engine/code-hash.ts';
import { defaultPool } from '../engine/dispatch/offer.ts';
import { drivenRows } from '../engine/driven-rows.ts';
import { prepareNodes } from '../engine/fingerprint.ts';
import { acquireLease, type Lease } from '../engine/locks.ts';
import { fingerprintOf } from '../index-sync/fingerprint.ts';
import type { ChunkMaker } from '../index-sync/prepare.ts';
import type { NamespacePolicy, SyncOptions, SyncPorts } from '../index-sync/sync.ts';
import { lexicalTerms } from '../text/lexical.ts';
import { currentHolder, isDeadForSure } from '../workers/holder.ts';
import { type CommandContext, usageProblem } from './context.ts';
import { openPipeline } from './pipeline-run.ts';
import { preflight } from './preflight.ts';
import type { Session } from './session.ts';

const stepName = 'sync-index';

/** Everything that keeps an index in step outside of a run: the same map steps, parameters and ports that a run of the pipeline has. */
export interface OpenedIndexSync {
  readonly session: Session;
  readonly index: string;
  /** The pool whose workers may apply changes. */
  readonly pool: string;
  readonly options: Omit<SyncOptions, 'rescan'>;
  readonly ports: SyncPorts;
}

/** Opens what a pipeline's step `sync-index` works with. */
export async function openIndexSync(
  context: CommandContext,
  pipeline: string,
  { set = [], signal = context.signal }: { readonly set?: readonly string[]; readonly signal?: AbortSignal } = {},
): Promise<Result<OpenedIndexSync, readonly Problem[]>> {
  const opened = await openPipeline(context, pipeline, { set });
  if (!opened.ok) return opened;
  const { graph, params, session } = opened.value;
  const node = graph.nodes.find(({ step }) => step.name === stepName);
  if (node === undefined) {
    const hint = 'Name one that keeps an index in step: twin watch feature-pipeline';
    return { ok: false, error: [usageProblem('no-index-step', `${pipeline} has no step ${stepName}`, hint)] };
  }
  const problems = (await preflight(session, context.environment, true)).flatMap(({ problem }) => (problem === null ? [] : [problem]));
  if (problems.length > 0) return { ok: false, error: problems };
  const { wired } = session;
  const stores = await wired.stores();
  const prepared = await prepareNodes(graph, params, codeHasher(stores.cache));
  if (!prepared.ok) return prepared;
  const nothing = () => undefined;
  const surroundings = { stores, ports: wired.ports, signal, log: nothing, count: nothing };
  const rows = (await drivenRows(prepared.value.get(node.address)!, surroundings)) as unknown as Driven;
  const [changeFeed, documentStore, embedder, metadataStore, tokenizer, vectorIndex] = await Promise.all([
    wired.ports.open('changeFeed'),
    wired.ports.open('documentStore'),
    wired.ports.open('embedder'),
    wired.ports.open('metadataStore'),
    wired.ports.open('tokenizer'),
    wired.ports.open('vectorIndex'),
  ]);
  const { index, onNamespaceChange, gateDocuments, gateRecall, keepDays } = params.get(node.address)!.params as {
    index: string;
    onNamespaceChange: NamespacePolicy;
    gateDocuments: number;
    gateRecall: number;
    keepDays: number;
  };
  const gate = { floors: { sample: gateDocuments, recall: gateRecall }, keepMs: keepDays * 24 * 3600_000 };
  const fingerprint = fingerprintOf(rows, { tokenizer, embedder });
  return {
    ok: true,
    value: {
      session,
      index,
      pool: node.step.pool ?? defaultPool,
      options: { ...rows, ...gate, index, fingerprint, terms: lexicalTerms, signal, onNamespaceChange, log: context.progress },
      ports: { changeFeed, documentStore, embedder, metadataStore, vectorIndex },
    },
  };
}

type Driven = ChunkMaker & { readonly clean: { readonly identity: string }; readonly chunk: { readonly identity: string } };

/** Takes hold of an index, as a run of its step would; says once for whom it waits. */
export async function holdIndex(context: CommandContext, { session, index }: OpenedIndexSync, noWait: boolean): Promise<Lease> {
  const client = { store: await session.wired.journal(), holder: currentHolder(context.line), isDead: isDeadForSure };
  const lease = await acquireLease(client, `effect/index:${index}`, {
    signal: context.signal,
    noWait,
    onWait: ({ command, pid, host }) => context.progress(`waiting for the index ${index}, held by ${command} (process ${pid} on ${host})`),
  });
  context.onEnd(() => lease.release());
  return lease;
}
