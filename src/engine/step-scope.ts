import { AsyncLocalStorage } from 'node:async_hooks';
import type { RunEvent } from '../contracts/events/run.ts';

/** The attempt of a step that the running code belongs to: whatever it prints is put down to it. */
export interface StepScope {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  /** Fails the attempt from outside of its own promise: for what its code threw where nobody waited for it. */
  readonly fail: (error: unknown) => void;
}

/** Set around the code of each attempt. */
export const stepScope = new AsyncLocalStorage<StepScope>();

/** Runs one attempt so that whatever it prints, throws or exits with behind our back is put down to it. */
export async function inStepScope<T>(
  { run, step, attempt, emit }: Omit<StepScope, 'fail'> & { readonly emit: (event: RunEvent) => void },
  body: () => Promise<T>,
): Promise<T> {
  const stray = Promise.withResolvers<never>();
  let ended = false;
  const fail = (error: unknown): void => {
    if (!ended) return stray.reject(error);
    emit({ type: 'step-log', run, step, message: `after it had ended: ${error instanceof Error ? error.message : String(error)}` });
  };
  try {
    return await Promise.race([stepScope.run({ run, step, attempt, fail }, body), stray.promise]);
  } finally {
    ended = true;
  }
}
