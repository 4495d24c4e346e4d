import type { MemberChange } from '../contracts/difference.ts';
import type { Json } from '../contracts/digest.ts';

/** The leaves of a JSON object by dotted path; one leaf of the name '' for any other value. Arrays are leaves. */
export function membersOf(value: Json, path = ''): Map<string, Json> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map([[path, value]]);
  const members = new Map<string, Json>();
  for (const [name, member] of Object.entries(value)) {
    for (const [inner, leaf] of membersOf(member, path === '' ? name : `${path}.${name}`)) members.set(inner, leaf);
  }
  return members;
}

/** The leaves in which two JSON values differ; null for a leaf that one of them does not have. */
export function memberChanges(before: Json, after: Json): MemberChange[] {
  const [from, to] = [membersOf(before), membersOf(after)];
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((path) => JSON.stringify(from.get(path)) !== JSON.stringify(to.get(path)))
    .map((path) => ({ path, before: from.get(path) ?? null, after: to.get(path) ?? null }));
}
