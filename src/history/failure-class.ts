import type { FailureClass } from '../contracts/failure-card.ts';
import type { Problem } from '../contracts/problem.ts';
import type { StepReason } from '../contracts/run.ts';

const classes: Readonly<Record<string, FailureClass>> = {
  'step-threw': 'code',
  bug: 'code',
  'invalid-output': 'code',
  'invalid-row': 'code',
  configuration: 'configuration',
  data: 'input',
  model: 'model',
  'out-of-memory': 'out-of-memory',
  preempted: 'preempted',
  divergence: 'divergence',
  'timed-out': 'timeout',
  lost: 'infrastructure',
  transient: 'infrastructure',
  hang: 'infrastructure',
  'device-fault': 'infrastructure',
  'disk-full': 'infrastructure',
  'artifact-store-read-only': 'infrastructure',
  'artifact-missing': 'infrastructure',
  'state-locked': 'infrastructure',
  'lease-lost': 'infrastructure',
  locked: 'infrastructure',
  interrupted: 'infrastructure',
};

/** The class of a failure: by how the step ended, by the reason of its problem, and else by whom the problem's exit code calls for. */
export function failureClass(problem: Problem, reason: StepReason | null): FailureClass {
  if (reason === 'timed-out') return 'timeout';
  if (reason === 'lost') return 'infrastructure';
  const known = classes[problem.reason];
  if (known !== undefined) return known;
  if (problem.exit === 4) return 'decision';
  return problem.exit === 2 ? 'configuration' : 'input';
}
