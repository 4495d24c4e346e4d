import type { PartChange } from '../contracts/plan.ts';
import type { Json } from '../contracts/digest.ts';
import type { FingerprintParts, StepResult } from '../contracts/run.ts';

/** Parts in the order in which a person asks for them: what was edited first, what follows from it later. */
const order = ['contract', 'step', 'version', 'code', 'params', 'files', 'environment', 'ports', 'extra', 'observed', 'inputs'] as const;

/** What differs between two fingerprints, member by member; params by their dotted path. */
export function changesBetween(before: FingerprintParts, after: FingerprintParts): readonly PartChange[] {
  return order.flatMap((part) => {
    const from = membersOf(before[part]);
    const to = membersOf(after[part]);
    return [...new Set([...from.keys(), ...to.keys()])]
      .filter((name) => JSON.stringify(from.get(name)) !== JSON.stringify(to.get(name)))
      .map((name): PartChange => ({ part, name: name === '' ? null : name, before: from.get(name) ?? null, after: to.get(name) ?? null }));
  });
}

/** The earlier result that differs least from a fingerprint, and how; null where there is none. */
export function nearestChange(
  earlier: readonly StepResult[],
  after: FingerprintParts,
): { readonly result: StepResult; readonly changes: readonly PartChange[] } | null {
  const compared = earlier.map((result) => ({ result, changes: changesBetween(result.parts, after) }));
  return compared.toSorted((left, right) => left.changes.length - right.changes.length)[0] ?? null;
}

/** The leaves of a JSON object by dotted path; one leaf of the name '' for any other value. Arrays are leaves. */
function membersOf(value: Json, path = ''): Map<string, Json> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map([[path, value]]);
  const members = new Map<string, Json>();
  for (const [name, member] of Object.entries(value)) {
    for (const [inner, leaf] of membersOf(member, path === '' ? name : `${path}.${name}`)) members.set(inner, leaf);
  }
  return members;
}
