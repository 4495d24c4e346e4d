import type { AnyStep } from './define.ts';
import { runJobStep } from './job-step.ts';
import { runMapStep } from './map-step.ts';
import { runPlainStep } from './plain-step.ts';
import type { Attempt, Made } from './run-context.ts';

/** Does one attempt of a step: on another host where the run hands its steps over and this one can travel, else here. */
export async function runAttempt(step: AnyStep, attempt: Attempt): Promise<Made> {
  const { dispatch } = attempt.context;
  if (!dispatch) return runHere(step, attempt);
  const made = await dispatch.offer(attempt);
  return made ?? dispatch.room.run(() => runHere(step, attempt), attempt.signal);
}

/** Does one attempt in this process. */
export async function runHere(step: AnyStep, attempt: Attempt): Promise<Made> {
  // A map step takes a turn for each row instead.
  if (step.kind !== 'map') await attempt.throttle?.();
  switch (step.kind) {
    case 'step':
      return runPlainStep(step, attempt);
    case 'map':
      return runMapStep(step, attempt);
    case 'job':
      return runJobStep(step, attempt);
  }
}
