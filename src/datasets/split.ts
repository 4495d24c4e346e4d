import type { SplitName } from '../contracts/dataset.ts';
import { sha256 } from '../contracts/digest.ts';

/** Which shares of the documents are kept out of training; the rest is trained on. */
export interface SplitShares {
  readonly validation: number;
  readonly test: number;
  /** Another salt draws another split. */
  readonly salt: string;
}

/**
 * The split of a document, from a hash of its id and of nothing else: new documents never move old ones.
 * Raising `test` moves documents into it from their neighbour only.
 */
export function splitOf(document: string, { validation, test, salt }: SplitShares): SplitName {
  const position = Number.parseInt(sha256(`${salt}\n${document}`).slice(0, 12), 16) / 2 ** 48;
  if (position < test) return 'test';
  return position < test + validation ? 'validation' : 'train';
}
