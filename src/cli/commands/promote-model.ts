import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { Problem } from '../../contracts/problem.ts';
import { aliasMoved } from '../../registry/candidate.ts';
import { moveAlias, readAlias } from '../../registry/aliases.ts';
import { listEvaluations } from '../../registry/evaluations.ts';
import { modelReference } from '../../registry/models.ts';
import { judgePromotion, type Promotion } from '../../registry/promotion.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { findModel } from '../find-model.ts';
import { openSession } from '../session.ts';
import { who } from '../who.ts';

/** Flags of `twin models promote`. */
export interface PromoteOptions {
  readonly to?: string;
  readonly force?: true;
  readonly reason?: string;
}

/** `twin models promote <version>`: moves an alias to a version whose evaluation against the alias' target passed. */
export async function promoteModel(context: CommandContext, options: PromoteOptions, name: string): Promise<CommandOutcome> {
  if (options.force && !options.reason?.trim()) {
    const hint = `twin models promote ${name} --force --reason "why the gate does not count here"`;
    return refused([usageProblem('reason-missing', '--force passes over the gate and needs a reason, which is shown for ever', hint)]);
  }
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const { config, wired } = session.value;
  const store = await wired.journal();
  const version = modelReference(await findModel(store, name));
  const model = version.slice(0, version.lastIndexOf('@'));
  const alias = options.to ?? config.promotion.alias;
  const { target } = await readAlias(store, model, alias);
  if (target === version) return done({ type: 'alias-moved', model, alias, from: target, to: version, moved: false, forced: false });

  const promotion = judgePromotion(await listEvaluations(store, model), version, target);
  if (!promotion.ok && !options.force) return refused([gateRefused(promotion, version, alias, target)]);
  const evaluation = promotion.ok ? promotion.evaluation : null;
  const forced = evaluation === null;
  const moved = await moveAlias(store, {
    model,
    alias,
    expected: target,
    to: version,
    who: who(),
    run: evaluation?.run ?? null,
    report: evaluation?.report ?? null,
    reason: options.reason?.trim() ?? evaluation?.reasons.join('; ') ?? '',
    ...(forced && { forced: true as const }),
  });
  if (!moved.ok) return refused([aliasMoved(model, alias, target, moved.found)]);
  return done({ type: 'alias-moved', model, alias, from: target, to: version, moved: true, forced });
}

function gateRefused(promotion: Promotion & { readonly ok: false }, version: string, alias: string, target: string | null): Problem {
  const opponent = target ?? 'its own base';
  const evaluate = `twin run evaluation-pipeline --set promotion.alias=${alias}`;
  const found = {
    'not-evaluated': 'it was never evaluated',
    stale: `it was compared with ${promotion.evaluation?.incumbent ?? 'its own base'}`,
    fail: `verdict fail: ${promotion.evaluation?.reasons.join('; ')}`,
    undecided: `verdict undecided: ${promotion.evaluation?.reasons.join('; ')}`,
  }[promotion.reason];
  return {
    reason: 'gate-refused',
    message: `${version} may not take over '${alias}'`,
    expected: `an evaluation that compared it with ${opponent} and passed`,
    found,
    hint: `Evaluate it with: ${evaluate}; or insist: twin models promote ${version} --to ${alias} --force --reason "…"`,
    exit: 3,
  };
}
