import type { Comparison, EvaluationReport, ItemScore, ModelRole, ModelScores, RetrievalScores } from '../contracts/evaluation.ts';
import { pairedBootstrap, type BootstrapOptions } from './bootstrap.ts';
import { bitsPerByte, lossPerToken, perplexityPerByte, perplexityPerToken, totalsOf } from './perplexity.ts';
import { rougeL, rougeSignature, rougeTokenizerFor, type RougeTokenizer } from './rouge.ts';
import { decide, type EvidenceFloor } from './verdict.ts';

/** What an evaluation measured, and by which rules it concludes. */
export interface EvaluationInput {
  readonly frozenSet: string;
  readonly scores: readonly ItemScore[];
  /** Registry versions by role; no incumbent where the candidate would be the first. */
  readonly versions: Readonly<Partial<Record<ModelRole, string>>>;
  readonly retrieval: RetrievalScores | null;
  readonly bootstrap: BootstrapOptions;
  /** Non-inferiority margin against an incumbent, in bits per byte. */
  readonly margin: number;
  readonly floor: EvidenceFloor;
}

const roles: readonly ModelRole[] = ['base', 'sft', 'candidate', 'incumbent'];

/** The report on a candidate: the figures of every model, the paired difference from its opponent, and the verdict. */
export function evaluationReport(input: EvaluationInput): EvaluationReport {
  const present = roles.filter((role) => input.versions[role] !== undefined);
  const byRole = new Map(present.map((role) => [role, input.scores.filter((score) => score.role === role)]));
  const tokenizer = rougeTokenizerFor(byRole.get('candidate')?.map(({ reference }) => reference) ?? []);
  const signature = `bits-per-byte|nats:answer|version:1; ${rougeSignature(tokenizer)}`;
  const models = present.flatMap((role): ModelScores[] => {
    const scores = byRole.get(role)!;
    return scores.length === 0 ? [] : [modelScores(role, input.versions[role]!, scores, tokenizer)];
  });
  const against = input.versions.incumbent === undefined ? 'base' : 'incumbent';
  const candidate = byRole.get('candidate') ?? [];
  const opponent = new Map((byRole.get(against) ?? []).map((score) => [score.item, score]));
  const pairs = candidate.flatMap((score) => {
    const other = opponent.get(score.item);
    return other
      ? [
          {
            cluster: score.document,
            candidate: [score.negativeLogLikelihood, score.bytes],
            opponent: [other.negativeLogLikelihood, other.bytes],
          },
        ]
      : [];
  });
  const common = { frozenSet: input.frozenSet, signature, models, retrieval: input.retrieval };
  if (pairs.length === 0)
    return {
      ...common,
      comparison: null,
      verdict: 'undecided',
      reasons: [`no held-out item was scored under both candidate and ${against}`],
    };

  const comparison: Comparison = {
    against,
    difference: pairedBootstrap(pairs, ([nats, bytes]) => nats! / (bytes! * Math.LN2), input.bootstrap),
    margin: against === 'base' ? 0 : input.margin,
    seed: input.bootstrap.seed,
    resamples: input.bootstrap.resamples,
    items: pairs.length,
    documents: new Set(pairs.map(({ cluster }) => cluster)).size,
  };
  const unpaired = Math.max(candidate.length, opponent.size) - pairs.length;
  if (unpaired > 0) {
    return {
      ...common,
      comparison,
      verdict: 'undecided',
      reasons: [`${unpaired} held-out items were scored under one of candidate and ${against} only`],
    };
  }
  const { verdict, reasons } = decide(comparison, input.floor);
  return { ...common, comparison, verdict, reasons: [...reasons] };
}

function modelScores(role: ModelRole, version: string, scores: readonly ItemScore[], tokenizer: RougeTokenizer): ModelScores {
  const totals = totalsOf(scores);
  const overlaps = scores.flatMap(({ reference, generated }) => (generated === null ? [] : [rougeL(reference, generated, tokenizer).f1]));
  return {
    role,
    version,
    items: scores.length,
    loss: lossPerToken(totals),
    perplexityPerToken: perplexityPerToken(totals),
    bitsPerByte: bitsPerByte(totals),
    perplexityPerByte: perplexityPerByte(totals),
    rougeL: overlaps.length === 0 ? null : overlaps.reduce((sum, overlap) => sum + overlap, 0) / overlaps.length,
  };
}
