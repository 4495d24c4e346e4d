import type { GateFinding } from '../../contracts/dataset.ts';

/** The least that a set must hold, and what its user can do about it. */
export interface Floor {
  /** What is counted ("samples in the train split"). */
  readonly what: string;
  readonly count: number;
  readonly minimum: number;
  /** What gives more of them. */
  readonly remedy: string;
}

/** Sets below their floor: nothing that is learned or measured from so little would hold. */
export function checkFloors(floors: readonly Floor[]): GateFinding[] {
  return floors
    .filter(({ count, minimum }) => count < minimum)
    .map(({ what, count, minimum, remedy }) => ({
      check: 'too-few',
      severity: 'refuse',
      count,
      limit: minimum,
      samples: [],
      message: `there are ${count} ${what}, and ${minimum} are needed: ${remedy}`,
    }));
}
