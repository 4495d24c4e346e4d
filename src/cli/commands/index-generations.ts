import type { CommandOutcome } from '../../contracts/command-results.ts';
import { listGenerations } from '../../index-sync/generations.ts';
import { readState } from '../../index-sync/cursor.ts';
import { dropByHand, rollBackIndex, switchIndex } from '../../index-sync/switch-index.ts';
import type { GenerationPorts } from '../../index-sync/take-over.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { holdTarget } from '../hold-target.ts';
import { openSession } from '../session.ts';

/** Flags of commands that change what readers find. */
export interface IndexFlags {
  /** False for --no-wait. */
  readonly wait?: boolean;
}

/** `twin index list`: every generation of the index, and which one readers find. */
export async function listIndex(context: CommandContext): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { config, wired } = session.value;
  const [metadataStore, vectorIndex] = [await wired.ports.open('metadataStore'), await wired.ports.open('vectorIndex')];
  const serving = await vectorIndex.alias(config.index);
  const generations = [];
  for (const record of await listGenerations(metadataStore, config.index)) {
    const { totals } = await readState(metadataStore, record.generation);
    generations.push({
      type: 'index-generation' as const,
      index: record.index,
      generation: record.generation,
      // The alias is what readers see, whatever was noted.
      state: record.generation === serving ? ('serving' as const) : record.state,
      embedder: record.embedder,
      documents: totals?.documents ?? null,
      points: totals?.points ?? null,
      since: record.since,
      keptUntil: record.keptUntil,
      reasons: record.verdict?.reasons ?? [],
    });
  }
  return done({ type: 'index-generations', index: config.index, generations });
}

/** `twin index rollback`: readers find again what they found before; nothing is built or dropped. */
export async function rollBack(context: CommandContext, flags: IndexFlags): Promise<CommandOutcome> {
  return await changed(context, flags, async (index, ports) => ({ type: 'index-switched', index, ...(await rollBackIndex(index, ports)) }));
}

/** `twin index switch <generation>`: readers find this one from now on. */
export async function switchTo(context: CommandContext, flags: IndexFlags, generation: string): Promise<CommandOutcome> {
  return await changed(context, flags, async (index, ports) => ({
    type: 'index-switched',
    index,
    ...(await switchIndex(index, generation, ports)),
  }));
}

/** `twin index drop <generation>`: removes one that readers do not find. */
export async function dropOne(context: CommandContext, flags: IndexFlags, generation: string): Promise<CommandOutcome> {
  return await changed(context, flags, async (index, ports) => {
    await dropByHand(index, generation, ports);
    return { type: 'index-dropped', index, generation };
  });
}

/** Changes an index while no run does. */
async function changed(
  context: CommandContext,
  flags: IndexFlags,
  change: (index: string, ports: GenerationPorts) => Promise<CommandOutcome['result']>,
): Promise<CommandOutcome> {
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const { config, wired } = session.value;
  const lease = await holdTarget(context, await wired.journal(), `index:${config.index}`, flags.wait === false);
  lease.lost.throwIfAborted();
  const ports = { metadataStore: await wired.ports.open('metadataStore'), vectorIndex: await wired.ports.open('vectorIndex') };
  return done(await change(config.index, ports));
}
