import { nearName } from '../contracts/near-name.ts';

/** What to do about an unknown name: the near one, or else all there are; `kind` is a plural noun. */
export function nameHint(given: string, known: readonly string[], kind: string): string {
  const near = nearName(given, known);
  if (near !== null) return `Did you mean ${near}?`;
  return known.length === 0 ? `There are no ${kind} yet.` : `The ${kind} are: ${known.toSorted().join(', ')}.`;
}
