import type { EvaluationRecord } from '../contracts/registry.ts';

/** Whether a version may take an alias over, by what evaluations concluded. */
export type Promotion =
  | { readonly ok: true; readonly evaluation: EvaluationRecord }
  | {
      readonly ok: false;
      /** `stale`: compared with a version that the alias does not name any more. */
      readonly reason: 'not-evaluated' | 'stale' | 'fail' | 'undecided';
      readonly evaluation: EvaluationRecord | null;
    };

/**
 * Judges whether `version` may take over from `target`: its newest evaluation must have compared it with exactly that version,
 * or, where the alias names nothing, with its own base, and have passed.
 */
export function judgePromotion(evaluations: readonly EvaluationRecord[], version: string, target: string | null): Promotion {
  const own = evaluations.filter(({ candidate }) => candidate === version);
  const evaluation = own.findLast(({ incumbent }) => incumbent === target) ?? null;
  if (evaluation?.verdict === 'pass') return { ok: true, evaluation };
  if (evaluation) return { ok: false, reason: evaluation.verdict, evaluation };
  const newest = own.at(-1) ?? null;
  return { ok: false, reason: newest ? 'stale' : 'not-evaluated', evaluation: newest };
}
