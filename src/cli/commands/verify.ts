import type { CommandOutcome, PointDifferenceLine } from '../../contracts/command-results.ts';
import type { Chunk, CleanDocument } from '../../contracts/document.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { codeHasher } from '../../engine/code-hash.ts';
import type { AnyStep, Mapped } from '../../engine/define.ts';
import { mapIdentity, prepareNodes } from '../../engine/fingerprint.ts';
import { fingerprintOf, nameOf } from '../../index-sync/fingerprint.ts';
import { verifyIndex as verify } from '../../index-sync/verify.ts';
import type { ChunkMaker } from '../../index-sync/prepare.ts';
import type { PortName, PortSource } from '../../ports/ports.ts';
import { type CommandContext, done, refused, usageProblem, wholeNumber } from '../context.ts';
import { type OpenedPipeline, openPipeline } from '../pipeline-run.ts';

const pipeline = 'feature-pipeline';
const step = 'sync-index';

/** Flags of `twin verify index`. */
export interface VerifyFlags {
  readonly sample?: string;
}

/** How often it is told how far it is. */
const tellMs = 5_000;

/** `twin verify index`: works out from the documents what should be in the index, and compares in both directions; exit 3 if they differ. */
export async function verifyIndex(context: CommandContext, flags: VerifyFlags = {}): Promise<CommandOutcome> {
  const sample = flags.sample === undefined ? undefined : wholeNumber('--sample', flags.sample);
  if (typeof sample === 'object') return refused([sample]);
  const opened = await openPipeline(context, pipeline, { writes: 'nothing' });
  if (!opened.ok) return refused(opened.error);
  const { graph, params, session } = opened.value;
  const { config, wired } = session;
  const node = graph.byAddress.get(step);
  const own = params.get(step);
  if (node?.step.kind !== 'step' || own === undefined) {
    return refused([
      usageProblem('unknown-step', `${pipeline} has no step ${step}`, 'The index that is verified is the one that this step fills.'),
    ]);
  }
  const { ports } = wired;
  const maker: ChunkMaker = {
    clean: (document) => rowsOf<CleanDocument>(node.step, 'clean', own.rows, document, ports, context.signal),
    chunk: (document) => rowsOf<Chunk>(node.step, 'chunk', own.rows, document, ports, context.signal),
  };
  const documentStore = await ports.open('documentStore');
  const { result, examples, generation } = await verify(
    { index: config.index, signal: context.signal, progress: teller(context), ...(sample !== undefined && { sample }), ...maker },
    {
      documentStore,
      vectorIndex: await ports.open('vectorIndex'),
      metadataStore: await ports.open('metadataStore'),
      embedder: await ports.open('embedder'),
    },
  );
  const differs = result.missing + result.stale + result.different > 0;
  const configured = differs ? await configuredGeneration(opened.value, config.index) : generation;
  // Where all was made in another way, single points say nothing.
  if (configured !== generation) return done({ ...result, otherwise: { serving: generation, configured } }, 3);
  if (examples.length > 0) {
    const found = await documentStore.get(examples.map(({ document }) => ({ tenant: config.tenant, id: document })));
    const differences = examples.map(({ kind, id, document, what = null }, at): PointDifferenceLine => ({
      type: 'point-difference',
      kind,
      id,
      document,
      address: found[at]?.document?.address ?? null,
      what,
    }));
    await context.tell({ type: 'point-differences', differences });
  }
  return done(result, differs ? 3 : 0);
}

/** The generation that the present configuration makes, which need not be the one that readers find: another one was built by flags, or rolled back to. */
async function configuredGeneration({ graph, params, session }: OpenedPipeline, index: string): Promise<string> {
  const { ports } = session.wired;
  const { cache } = await session.wired.stores();
  const prepared = await prepareNodes(graph, params, codeHasher(cache));
  if (!prepared.ok) throw new ProblemError(prepared.error[0]!);
  const driven = prepared.value.get(step)!.driven;
  const identity = async (name: string) => ({ identity: await mapIdentity(driven[name]!, ports) });
  const port = async (name: PortName) => ({ identity: (await ports.identity(name)) ?? '' });
  const [clean, chunk, tokenizer, embedder] = [
    await identity('clean'),
    await identity('chunk'),
    await port('tokenizer'),
    await port('embedder'),
  ];
  return nameOf(index, fingerprintOf({ clean, chunk }, { tokenizer, embedder }));
}

/** Tells how far it is and about how long the rest takes, every few seconds. */
function teller(context: CommandContext): (done: number, total: number) => void {
  const started = performance.now();
  let told = started;
  return (done, total) => {
    const now = performance.now();
    if (now - told < tellMs || done >= total) return;
    told = now;
    const seconds = Math.ceil((((now - started) / done) * (total - done)) / 1000);
    context.progress(`${done} of ${total} documents worked out, about ${seconds} s left`);
  };
}

/** The rows that a map step makes of one row, computed anew: proof asks no cache. */
async function rowsOf<Row>(
  driver: AnyStep,
  name: string,
  params: Readonly<Record<string, unknown>>,
  row: unknown,
  source: PortSource,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const mapStep = driver.kind === 'step' ? driver.rows[name] : undefined;
  if (mapStep?.run === undefined) throw new TypeError(`${driver.name} drives no map step ${name} that takes a row at a time`);
  const ports: Record<string, unknown> = {};
  for (const port of mapStep.needs) ports[port] = await source.open(port);
  const context = { row, params: params[name], ports, signal, count: () => {}, log: () => {} };
  const mapped = (await mapStep.run(context as never)) as Mapped<Row>;
  if (Array.isArray(mapped)) return mapped as readonly Row[];
  return typeof mapped === 'object' && mapped !== null && 'dropped' in mapped && Object.keys(mapped).length === 1 ? [] : [mapped as Row];
}
