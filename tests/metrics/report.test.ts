import { expect, test } from 'vitest';
import { EvaluationReport, type ItemScore, type ModelRole } from '../../src/contracts/evaluation.ts';
import { evaluationReport, type EvaluationInput } from '../../src/metrics/report.ts';

const frozenSet = 'f'.repeat(64);

/** Twelve items of four documents; the loss varies from item to item, and by `offset` between models. */
function scores(role: ModelRole, offset: number, items = 12): ItemScore[] {
  return Array.from({ length: items }, (_, index) => ({
    item: `item-${index}`,
    role,
    document: `document-${index % 4}`,
    tokens: 10,
    bytes: 40,
    negativeLogLikelihood: 40 * Math.LN2 * (2 + (index % 3) / 10 + offset),
    generated: index < 6 ? 'the chunk fits' : null,
    reference: 'the chunk fits the window',
    sources: [{ document: `document-${index % 4}`, revision: '0'.repeat(64) }],
  }));
}

const input = (change: Partial<EvaluationInput>): EvaluationInput => ({
  frozenSet,
  scores: [],
  versions: { base: 'twin@b', sft: 'twin@s', candidate: 'twin@c', incumbent: 'twin@i' },
  retrieval: null,
  bootstrap: { resamples: 1000, seed: 7, confidence: 0.95 },
  margin: 0.01,
  floor: { minimumItems: 5, minimumDocuments: 2 },
  ...change,
});

test('every model has its corpus figures, and the candidate is compared with the incumbent', () => {
  const report = evaluationReport(
    input({ scores: [...scores('base', 1), ...scores('sft', 0.5), ...scores('candidate', 0), ...scores('incumbent', 0.2)] }),
  );
  expect(EvaluationReport.parse(report)).toMatchObject({
    frozenSet,
    signature: 'bits-per-byte|nats:answer|version:1; rouge-l|tokenizer:rouge-score|stemmer:none|beta:1|version:1',
    comparison: { against: 'incumbent', margin: 0.01, seed: 7, resamples: 1000, items: 12, documents: 4, difference: { confidence: 0.95 } },
    verdict: 'pass',
  });
  expect(report.models.map(({ role, version, items }) => [role, version, items])).toEqual([
    ['base', 'twin@b', 12],
    ['sft', 'twin@s', 12],
    ['candidate', 'twin@c', 12],
    ['incumbent', 'twin@i', 12],
  ]);
  const candidate = report.models[2]!;
  expect(candidate.bitsPerByte).toBeCloseTo(2.1, 9);
  expect(candidate.perplexityPerByte).toBeCloseTo(2 ** 2.1, 9);
  expect(candidate.loss).toBeCloseTo(4 * Math.LN2 * 2.1, 9);
  expect(candidate.perplexityPerToken).toBeCloseTo(2 ** 8.4, 9);
  expect(candidate.rougeL).toBeCloseTo(0.75, 9);
  expect(report.comparison!.difference.value).toBeCloseTo(-0.2, 9);
});

test('with no incumbent the candidate must beat its own base', () => {
  const versions = { base: 'twin@b', sft: 'twin@s', candidate: 'twin@c' };
  const better = evaluationReport(
    input({ versions, scores: [...scores('base', 0.5), ...scores('sft', 0), ...scores('candidate', 0), ...scores('incumbent', 0.5)] }),
  );
  expect(better).toMatchObject({ verdict: 'pass', comparison: { against: 'base', margin: 0 } });
  expect(better.models.map(({ role }) => role)).toEqual(['base', 'sft', 'candidate']);
  const worse = evaluationReport(input({ versions, scores: [...scores('base', 0), ...scores('candidate', 0.005)] }));
  expect(worse.verdict).toBe('fail');
});

test('a model that was not asked to write has no ROUGE-L', () => {
  const silent = scores('candidate', 0).map((score) => Object.assign(score, { generated: null }));
  expect(
    evaluationReport(input({ scores: [...silent, ...scores('incumbent', 0)] })).models.find(({ role }) => role === 'candidate')!.rougeL,
  ).toBeNull();
});

test('items scored under one model only leave the verdict undecided, however good the rest', () => {
  expect(evaluationReport(input({ scores: [...scores('candidate', 0, 10), ...scores('incumbent', 1)] }))).toMatchObject({
    verdict: 'undecided',
    reasons: ['2 held-out items were scored under one of candidate and incumbent only'],
  });
});

test('no item at all leaves it undecided without a comparison', () => {
  expect(evaluationReport(input({ scores: scores('base', 0) }))).toMatchObject({
    comparison: null,
    verdict: 'undecided',
    reasons: ['no held-out item was scored under both candidate and incumbent'],
  });
});
