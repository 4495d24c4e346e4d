import type { AttemptTurn } from './attempts.ts';
import { takeTurn } from './pools.ts';
import { runAttempt } from './run-attempt.ts';
import type { Attempt, Made } from './run-context.ts';
import { stepScope } from './step-scope.ts';
import type { Work } from './work.ts';

/** Runs one attempt so that whatever it prints, throws or exits with behind our back is put down to it. */
export async function attemptInScope({ context, prepared, inputs, parts, key }: Work, turn: AttemptTurn): Promise<Made> {
  const step = prepared.node.address;
  const attempt: Attempt = { context, prepared, inputs, parts, key, throttle: throttleOf(prepared.node.step.pool, context, turn), ...turn };
  const stray = Promise.withResolvers<never>();
  let ended = false;
  const fail = (error: unknown): void => {
    if (!ended) return stray.reject(error);
    const message = `after it had ended: ${error instanceof Error ? error.message : String(error)}`;
    context.emit({ type: 'step-log', run: context.run, step, message });
  };
  try {
    return await Promise.race([
      stepScope.run({ run: context.run, step, attempt: turn.attempt, fail }, () => runAttempt(prepared.node.step, attempt)),
      stray.promise,
    ]);
  } finally {
    ended = true;
  }
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
