import type { AttemptTurn } from './attempts.ts';
import { takeTurn } from './pools.ts';
import { runAttempt } from './run-attempt.ts';
import type { Attempt, Made } from './run-context.ts';
import { inStepScope } from './step-scope.ts';
import type { Work } from './work.ts';

/** Runs one attempt of a step in a scope of its own, at the rate of its pool. */
export function attemptInScope({ context, prepared, inputs, parts, key }: Work, turn: AttemptTurn): Promise<Made> {
  const { step, address } = prepared.node;
  const attempt: Attempt = { context, prepared, inputs, parts, key, throttle: throttleOf(step.pool, context, turn), ...turn };
  const scope = { run: context.run, step: address, attempt: turn.attempt, emit: context.emit };
  return inStepScope(scope, () => runAttempt(step, attempt));
}

/** Waits for a turn at the rate of the step's pool; null where that has none. */
function throttleOf(pool: string | undefined, context: Work['context'], { signal, beat }: AttemptTurn): Attempt['throttle'] {
  const perMinute = pool === undefined ? undefined : context.options.pools?.[pool]?.perMinute;
  if (pool === undefined || perMinute === undefined) return null;
  return async () => {
    await takeTurn(context.leases, pool, perMinute, signal);
    beat();
  };
}
