import type { GateFinding } from '../../contracts/dataset.ts';
import { excerptOf, percent, shareFinding } from '../finding.ts';
import { lengthOf } from '../pieces.ts';
import { wordsOf } from '../words.ts';

/** The two answers of a preference pair. */
export interface TwoAnswers {
  readonly id: string;
  readonly chosen: string;
  readonly rejected: string;
}

/** When one answer counts as longer, and how lopsided a set may be. */
export interface LengthBiasLimits {
  /** One answer is longer than the other by more than this share of the shorter one. */
  readonly tolerance: number;
  /** The most by which pairs with the longer answer chosen may outnumber those with the shorter one chosen, or the reverse, as a share of all pairs. */
  readonly imbalance: number;
}

/** A pair whose answers are the same words teaches nothing. */
export function checkEqualAnswers(pairs: readonly TwoAnswers[]): GateFinding[] {
  const equal = pairs.filter(({ chosen, rejected }) => chosen.trim() === rejected.trim() || sameWords(chosen, rejected));
  const offences = equal.map(({ id, chosen }) => ({ id, excerpt: excerptOf(chosen) }));
  return shareFinding('chosen-equals-rejected', offences, pairs.length, 0, 'pairs have the same answer chosen and rejected');
}

/** Where length alone tells chosen from rejected, preference tuning learns length and nothing else. */
export function checkLengthBias(pairs: readonly TwoAnswers[], { tolerance, imbalance }: LengthBiasLimits): GateFinding[] {
  const longer = (one: string, other: string): boolean => lengthOf(one) > lengthOf(other) * (1 + tolerance);
  const chosenLonger = pairs.filter(({ chosen, rejected }) => longer(chosen, rejected));
  const rejectedLonger = pairs.filter(({ chosen, rejected }) => longer(rejected, chosen));
  const measured = Math.abs(chosenLonger.length - rejectedLonger.length) / Math.max(1, pairs.length);
  if (measured <= imbalance) return [];
  const [side, rows] = chosenLonger.length > rejectedLonger.length ? ['chosen', chosenLonger] : ['rejected', rejectedLonger];
  return [
    {
      check: 'length-bias',
      severity: 'refuse',
      count: rows.length,
      limit: imbalance,
      samples: rows
        .slice(0, 5)
        .map(({ id, chosen, rejected }) => ({ id, excerpt: `chosen ${lengthOf(chosen)} characters, rejected ${lengthOf(rejected)}` })),
      message:
        `the ${side} answer is the longer one (by over ${percent(tolerance)}) in ${rows.length} of ${pairs.length} pairs, ` +
        `the other one in ${Math.min(chosenLonger.length, rejectedLonger.length)}; they may differ by ${percent(imbalance)} of the pairs`,
    },
  ];
}

function sameWords(left: string, right: string): boolean {
  const words = wordsOf(left).join(' ');
  return words !== '' && words === wordsOf(right).join(' ');
}
