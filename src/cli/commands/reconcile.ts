import type { CommandOutcome } from '../../contracts/command-results.ts';
import { generationIn, readState } from '../../index-sync/cursor.ts';
import { nameOf } from '../../index-sync/fingerprint.ts';
import { Ledger } from '../../index-sync/ledger.ts';
import { followChanges } from '../../index-sync/sync.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { holdIndex, openIndexSync } from '../index-sync.ts';

/** Options of `twin reconcile`. */
export interface ReconcileFlags {
  readonly yes?: true;
  readonly pipeline?: string;
  readonly wait?: boolean;
}

/** `twin reconcile [index]`: reads every document again and removes what is gone; only shows what it would do unless it is told yes. */
export async function reconcile(context: CommandContext, flags: ReconcileFlags, name?: string): Promise<CommandOutcome> {
  const opened = await openIndexSync(context, flags.pipeline ?? 'feature-pipeline');
  if (!opened.ok) return refused(opened.error);
  const { options, ports, index } = opened.value;
  if (name !== undefined && name !== index) {
    const hint = `It fills ${index}. Name the pipeline that fills the other one: twin reconcile ${name} --pipeline <pipeline>`;
    return refused([usageProblem('unknown-index', `${flags.pipeline ?? 'feature-pipeline'} fills no index ${name}`, hint)]);
  }
  const before = await readState(ports.metadataStore, nameOf(index, options.fingerprint));
  const generation = generationIn(nameOf(index, options.fingerprint), before);
  let indexed = 0;
  for await (const entries of new Ledger(ports.metadataStore, generation).entries())
    indexed += entries.filter(({ state: entry }) => entry !== 'deleted').length;
  const documents = await ports.documentStore.count();
  const gap = before.gap?.message ?? null;
  const plan = { type: 'reconciliation' as const, index, generation, gap, documents, indexed };
  if (flags.yes !== true) return done({ ...plan, done: false, written: 0, removed: 0 }, gap === null ? 0 : 4);

  await holdIndex(context, opened.value, flags.wait === false);
  const counts: Record<string, number> = {};
  const count = (what: string, amount: number) => void (counts[what] = (counts[what] ?? 0) + amount);
  let told = 0;
  const progress = (settled: number, total?: number) => {
    if (performance.now() - told < 2000) return;
    told = performance.now();
    context.progress(`read ${settled} of ${total ?? '?'} documents`);
  };
  const { state: after } = await followChanges({ ...options, rescan: true, count, progress }, ports);
  const { 'points-written': written = 0, 'points-removed': removed = 0 } = counts;
  return done({
    ...plan,
    generation: after.generation,
    documents: after.documents,
    indexed: after.documents,
    done: true,
    written,
    removed,
  });
}
