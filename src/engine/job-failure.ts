import { type Problem, ProblemError } from '../contracts/problem.ts';
import { type JobEvent, exitCodes } from '../contracts/worker-protocol.ts';
import type { JobState } from '../ports/job-launcher.ts';
import { PassingProblemError } from './failure.ts';

/** Lines of a job's output that its problem shows. */
const shownLines = 5;
/** Characters of a traceback that are kept, its end first. */
const stackKept = 8000;

/** Why a job did not end well: what it said itself, or what its exit code means. Preemption, a lost keeper and passing faults may be tried again. */
export function jobFailure(
  address: string,
  job: string,
  id: string,
  state: JobState | null,
  said: (JobEvent & { readonly type: 'error' }) | null,
): ProblemError {
  if (state?.state !== 'ended' || state.exit.code === null) {
    const verdict = state?.state === 'ended' && state.exit.verdict !== null ? `: ${state.exit.verdict}` : '';
    const how = state?.state === 'ended' ? `was killed by ${state.exit.signal ?? 'a signal'}${verdict}` : 'vanished without a word';
    const found = state?.state === 'ended' ? lastWords(state.lastLines) : undefined;
    return new PassingProblemError({
      reason: 'lost',
      message: `Job ${job} of step ${address} ${how}`,
      where: address,
      ...(found && { found }),
      hint: `twin run starts it again from its last checkpoint (job ${id.slice(0, 12)})`,
      exit: 1,
    });
  }
  const { code } = state.exit;
  const meaning = code in exitCodes ? exitCodes[code as keyof typeof exitCodes] : exitCodes[70];
  const found = said?.data.where ?? lastWords(state.lastLines);
  const hint = said?.data.hint ?? hints[meaning.reason];
  const problem: Problem = {
    reason: state.exit.verdict === null ? (said?.data.reason ?? meaning.reason) : meaning.reason,
    message: `Job ${job} of step ${address} ended with ${meaning.reason} (exit ${code})${words(state.exit.verdict ?? said?.data.message)}`,
    where: address,
    ...(found && { found }),
    ...(hint && { hint }),
    ...(said?.data.stack && { stack: said.data.stack.slice(-stackKept) }),
    exit: 1,
  };
  // The launcher makes the next attempt smaller.
  const mayPass = meaning.retry === 'smaller' || meaning.retry === 'resume' || meaning.retry === 'backoff' || meaning.retry === 'elsewhere';
  return mayPass ? new PassingProblemError(problem) : new ProblemError(problem);
}

const hints: Partial<Record<(typeof exitCodes)[keyof typeof exitCodes]['reason'], string>> = {
  'out-of-memory': 'Lower batchSize and raise gradientAccumulation by as much, so that the result stays the same',
  divergence: 'Lower learningRate',
  bug: 'The last lines of the job say where; please report it',
};

function words(text: string | undefined): string {
  return text === undefined ? '' : `: ${text}`;
}

function lastWords(lines: readonly string[]): string | undefined {
  return lines.length === 0 ? undefined : lines.slice(-shownLines).join('\n');
}
