import type { Json } from '../contracts/digest.ts';
import type { AliasMove, ModelVersion } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { findModels } from './models.ts';
import { streamsWith } from './streams.ts';

/** An alias of a model: every move that it made, oldest first. */
export interface Alias {
  readonly model: string;
  readonly alias: string;
  readonly moves: readonly AliasMove[];
  /** The version that it names, `<name>@<version>`; null before its first move. */
  readonly target: string | null;
}

const streamOf = (model: string, alias: string): string => `alias/${model}/${alias}`;

/** Reads one alias; one that was never moved has no target. */
export async function readAlias(store: MetadataStore, model: string, alias: string): Promise<Alias> {
  const moves = (await store.read(streamOf(model, alias), 0)).map((record) => record.data as unknown as AliasMove);
  return { model, alias, moves, target: moves.at(-1)?.to ?? null };
}

/** Every alias of one model, or of all, sorted by model and alias. */
export async function listAliases(store: MetadataStore, model?: string): Promise<readonly Alias[]> {
  const streams = await streamsWith(store, model === undefined ? 'alias/' : streamOf(model, ''));
  return Promise.all(
    streams.map((stream) => {
      const [, name, alias] = stream.split('/') as [string, string, string];
      return readAlias(store, name, alias);
    }),
  );
}

/** What is asked of an alias. */
export interface AliasRequest {
  readonly model: string;
  readonly alias: string;
  /** What it must name now: the move is refused where someone else was faster. */
  readonly expected: string | null;
  readonly to: string;
  readonly who: string;
  readonly run: string | null;
  readonly report: string | null;
  readonly reason: string;
  readonly forced?: true;
  readonly rollback?: true;
}

/** Moves an alias by compare-and-swap, on disk before it returns. Moving it to where it stands is no move. */
export async function moveAlias(
  store: MetadataStore,
  request: AliasRequest,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly found: string | null }> {
  const current = await readAlias(store, request.model, request.alias);
  if (current.target !== request.expected) return { ok: false, found: current.target };
  if (current.target === request.to) return { ok: true };
  const { to, who, run, report, reason, forced, rollback } = request;
  const when = new Date(await store.now()).toISOString();
  const move: AliasMove = {
    from: current.target,
    to,
    who,
    when,
    run,
    report,
    reason,
    ...(forced && { forced }),
    ...(rollback && { rollback }),
  };
  const appended = await store.append(streamOf(request.model, request.alias), current.moves.length, [move as unknown as Json], 'power');
  return appended.ok ? { ok: true } : { ok: false, found: (await readAlias(store, request.model, request.alias)).target };
}

/**
 * What a candidate is compared with: the alias' target, or, where the candidate already is the target, the entry that it replaced.
 * Null where there is no such entry: the first version has no incumbent.
 */
export function incumbentOf(alias: Pick<Alias, 'moves' | 'target'>, candidate: string): string | null {
  return alias.target === candidate ? (alias.moves.at(-1)?.from ?? null) : alias.target;
}

/**
 * What stands below the target: where rolling back leads. Moves that were rolled back, and the roll-backs themselves, are taken out,
 * so that rolling back twice goes two versions back. Null where nothing stood before.
 */
export function previousTarget(moves: readonly AliasMove[]): string | null {
  const stack: string[] = [];
  for (const { to, rollback } of moves) {
    if (rollback) stack.pop();
    else stack.push(to);
  }
  return stack.at(-2) ?? null;
}

/** The version that an alias names, null where it names none. */
export async function modelUnder(store: MetadataStore, model: string, alias: string): Promise<ModelVersion | null> {
  const { target } = await readAlias(store, model, alias);
  return target === null ? null : ((await findModels(store, target))[0] ?? null);
}
