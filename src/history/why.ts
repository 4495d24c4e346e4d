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

/** The earlier result that differs least from a fingerprint, and how; null where there is none. */
export function nearestChange(
  earlier: readonly StepResult[],
  after: FingerprintParts,
): { readonly result: StepResult; readonly changes: readonly PartChange[] } | null {
  const compared = earlier.map((result) => ({ result, changes: changesBetween(result.parts, after) }));
  return compared.toSorted((left, right) => left.changes.length - right.changes.length)[0] ?? null;
}
