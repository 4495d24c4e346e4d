import type { PartChange } from '../contracts/plan.ts';
import type { FingerprintParts, StepResult } from '../contracts/run.ts';
import { memberChanges } from './members.ts';

/** Parts in the order in which a person asks for them: what was edited first, what follows from it later. */
const order = ['contract', 'step', 'version', 'code', 'params', 'files', 'environment', 'ports', 'extra', 'observed', 'inputs'] as const;

/** What differs between two fingerprints, member by member; params by their dotted path. */
export function changesBetween(before: FingerprintParts, after: FingerprintParts): readonly PartChange[] {
  return order.flatMap((part) =>
    memberChanges(before[part], after[part]).map(({ path, before: from, after: to }): PartChange => ({
      part,
      name: path === '' ? null : path,
      before: from,
      after: to,
    })),
  );
}

/** Results that differ in equally few parts which are looked at more closely. */
const nearestAtMost = 3;

/** An earlier result, and how a fingerprint differs from it. */
export interface Compared {
  readonly result: StepResult;
  readonly changes: readonly PartChange[];
}

/** The earlier result that differs least from a fingerprint, and how; null where there is none. Of equals, the first. */
export function nearestChange(earlier: readonly StepResult[], after: FingerprintParts): Compared | null {
  return nearestResults(earlier, after)[0] ?? null;
}

/** The few earlier results that differ least from a fingerprint, in equally many parts. */
export function nearestResults(earlier: readonly StepResult[], after: FingerprintParts): readonly Compared[] {
  const compared = earlier.map((result) => ({ result, changes: changesBetween(result.parts, after) }));
  const least = Math.min(...compared.map(({ changes }) => changes.length));
  return compared.filter(({ changes }) => changes.length === least).slice(0, nearestAtMost);
}
