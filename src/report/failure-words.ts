import type { FailureCard, FailureClass } from '../contracts/failure-card.ts';
import type { PartChange } from '../contracts/plan.ts';
import { moment } from './quantities.ts';
import { changeWords } from './results/plan.ts';

/** What a class of failure calls for. */
export function classWords(failure: FailureClass): string {
  switch (failure) {
    case 'code':
      return 'an error in the code';
    case 'configuration':
      return 'a mistake in the configuration';
    case 'input':
      return 'something wrong with the input';
    case 'model':
      return 'something wrong with a model';
    case 'out-of-memory':
      return 'memory ran out';
    case 'timeout':
      return 'it took longer than it may';
    case 'infrastructure':
      return 'the surroundings failed, not the step';
    case 'preempted':
      return 'it was preempted';
    case 'divergence':
      return 'training diverged';
    case 'decision':
      return 'a person must decide';
  }
}

/** Where the failure is in the user's own code: `steps/feature/chunk.ts:12 in cut`. */
export function frameWords({ file, line, in: name }: NonNullable<FailureCard['frame']>, root = process.cwd()): string {
  const short = file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
  return `${short}:${line}${name === null ? '' : ` in ${name}`}`;
}

/** What has changed since the step succeeded last, a line a change. */
export function sinceWords(since: FailureCard['since'], most = 6): readonly string[] {
  if (since === null) return [];
  const { run, at, changes } = since;
  const last = `run ${run} (${moment(at)})`;
  if (changes.length === 0) return [`nothing of what its result depends on has changed since it succeeded in ${last}`];
  const told = changes.slice(0, most).map((change: PartChange) => changeWords(change));
  const more = changes.length > most ? [`and ${changes.length - most} more`] : [];
  return [`since it succeeded in ${last}:`, ...told.map((words) => `  ${words}`), ...more.map((words) => `  ${words}`)];
}

/** How often the same has happened before; null where it never did. */
export function similarWords({ count, last }: FailureCard['similar']): string | null {
  if (last === null) return null;
  const times = count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
  return `failed like this ${times} before, last in run ${last.run} (${moment(last.at)})`;
}
