import type { GateFinding } from '../contracts/dataset.ts';

/** A row that a check objects to, and the words that show why. */
export interface Offence {
  readonly id: string;
  readonly excerpt: string;
}

const shownSamples = 5;

/**
 * The finding for some offending rows, or none for no row: it refuses where they are more than the allowed share of all rows, and warns below.
 * `what` completes "12 of 381 …" and names the rows and their fault.
 */
export function shareFinding(
  check: string,
  offences: readonly Offence[],
  total: number,
  allowedShare: number,
  what: string,
): GateFinding[] {
  if (offences.length === 0) return [];
  const allowed = allowedShare === 0 ? 'none may' : `at most ${percent(allowedShare)} may`;
  return [
    {
      check,
      severity: offences.length > allowedShare * total ? 'refuse' : 'warn',
      count: offences.length,
      limit: allowedShare,
      samples: offences.slice(0, shownSamples).map(({ id, excerpt }) => ({ id, excerpt })),
      message: `${offences.length} of ${total} ${what}; ${allowed}`,
    },
  ];
}

/** A few words around an offset (in UTF-16 code units) on one line. */
export function excerptOf(text: string, at = 0): string {
  const start = Math.max(0, at - 40);
  const cut = text
    .slice(start, start + 120)
    .toWellFormed()
    .replaceAll(/\s+/g, ' ')
    .trim();
  return `${start > 0 ? '… ' : ''}${cut}${start + 120 < text.length ? ' …' : ''}`;
}

/** A share as a percentage without needless digits. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
