import type { Comparison, Verdict } from '../contracts/evaluation.ts';

/** How much evidence a verdict needs. */
export interface EvidenceFloor {
  readonly minimumItems: number;
  readonly minimumDocuments: number;
}

/**
 * Pass where the whole interval lies at or below the margin, fail where it lies above it, undecided where it holds the margin or where there is too little evidence.
 * Against the base the whole interval must lie below zero: the bar is to be better, not just no worse.
 */
export function decide(comparison: Comparison, floor: EvidenceFloor): { readonly verdict: Verdict; readonly reasons: readonly string[] } {
  const { difference, margin, against, items, documents } = comparison;
  if (items < floor.minimumItems || documents < floor.minimumDocuments) {
    return {
      verdict: 'undecided',
      reasons: [
        `too little evidence: ${items} held-out items from ${documents} documents, at least ${floor.minimumItems} items from ${floor.minimumDocuments} documents are needed`,
      ],
    };
  }
  const measured = `candidate - ${against} is ${bits(difference.value)} bits per byte (${difference.confidence * 100} % interval ${bits(difference.low)} to ${bits(difference.high)})`;
  const bar = against === 'base' ? 'below 0' : `at most ${bits(margin)}`;
  const passes = against === 'base' ? difference.high < 0 : difference.high <= margin;
  if (passes) return { verdict: 'pass', reasons: [`${measured}; the whole interval is ${bar}`] };
  if (difference.low > margin) return { verdict: 'fail', reasons: [`${measured}; none of the interval is ${bar}`] };
  return { verdict: 'undecided', reasons: [`${measured}; only part of the interval is ${bar}, more held-out items would narrow it`] };
}

function bits(value: number): string {
  return `${value > 0 ? '+' : ''}${value.toFixed(4)}`;
}
