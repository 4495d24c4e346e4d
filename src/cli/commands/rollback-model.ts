import type { CommandOutcome } from '../../contracts/command-results.ts';
import { moveAlias, previousTarget, readAlias } from '../../registry/aliases.ts';
import { findModels } from '../../registry/models.ts';
import { aliasMoved } from '../../registry/candidate.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { openSession } from '../session.ts';
import { who } from '../who.ts';

/** Flags of `twin models rollback`. */
export interface RollbackOptions {
  readonly name?: string;
  readonly reason?: string;
}

/** `twin models rollback [alias]`: moves an alias back to what it named before; nothing is trained or copied. */
export async function rollbackModel(context: CommandContext, options: RollbackOptions, given?: string): Promise<CommandOutcome> {
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const { config, wired } = session.value;
  const store = await wired.journal();
  const [model, alias] = [options.name ?? 'twin', given ?? config.promotion.alias];
  const { moves, target } = await readAlias(store, model, alias);
  if (target === null)
    return refused([usageProblem('unknown-alias', `${model} has no alias '${alias}'`, 'See the aliases with: twin models list')]);
  const to = previousTarget(moves);
  if (to === null || (await findModels(store, to)).length === 0) {
    return refused([
      {
        reason: 'nothing-before',
        message: `'${alias}' of ${model} has nothing to go back to`,
        expected: 'an earlier move of the alias',
        found: to === null ? `${target} was the first` : `${to}, which was deleted`,
        hint: 'Name another version with: twin models promote <version>',
        exit: 1,
      },
    ]);
  }
  const reason = options.reason?.trim() || 'rolled back by hand';
  const request = { model, alias, expected: target, to, who: who(), run: null, report: null, reason, rollback: true } as const;
  const moved = await moveAlias(store, request);
  if (!moved.ok) return refused([aliasMoved(model, alias, target, moved.found)]);
  return done({ type: 'alias-moved', model, alias, from: target, to, moved: true, forced: false });
}
