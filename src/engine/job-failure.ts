import type { Problem } from '../contracts/problem.ts';
import { type JobEvent, exitCodes } from '../contracts/worker-protocol.ts';
import type { JobState } from '../ports/job-launcher.ts';
import type { FailureClass } from '../contracts/run.ts';
import { ClassifiedProblemError } from './failure.ts';

/** Lines of a job's output that its problem shows. */
const shownLines = 5;
/** Characters of a traceback that are kept, its end first. */
const stackKept = 8000;

/** Why a job did not end well: what it said itself, or what its exit code means. */
export function jobFailure(
  address: string,
  job: string,
  id: string,
  state: JobState | null,
  said: (JobEvent & { readonly type: 'error' }) | null,
): ClassifiedProblemError {
  if (state?.state !== 'ended' || state.exit.code === null) {
    const verdict = state?.state === 'ended' && state.exit.verdict !== null ? `: ${state.exit.verdict}` : '';
    const how = state?.state === 'ended' ? `was killed by ${state.exit.signal ?? 'a signal'}${verdict}` : 'vanished without a word';
    const found = state?.state === 'ended' ? lastWords(state.lastLines) : undefined;
    return new ClassifiedProblemError('infrastructure', {
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
  return new ClassifiedProblemError(classes[meaning.retry], problem);
}

/** Whose failure an exit code tells of, by what it says about a retry. */
const classes: Readonly<Record<(typeof exitCodes)[keyof typeof exitCodes]['retry'], FailureClass>> = {
  none: 'user',
  never: 'user',
  resume: 'preempted',
  smaller: 'out-of-memory',
  backoff: 'infrastructure',
  elsewhere: 'infrastructure',
};

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
