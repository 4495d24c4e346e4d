import { expect, test } from 'vitest';
import { digestOf } from '../../../src/contracts/digest.ts';
import type { ItemScore, ModelRole } from '../../../src/contracts/evaluation.ts';
import { scoreReport } from '../../../steps/evaluation/score-report.ts';
import { instructionSample } from '../../support/dataset-rows.ts';
import { runStep } from '../../support/step-rig.ts';

const items = Array.from({ length: 8 }, (_, index) => instructionSample({ id: `item-${index}`, document: `document-${index % 3}` }));
const scores = (role: ModelRole, bitsPerByte: number): ItemScore[] =>
  items.map(({ id, document, sources, answer }, index) => ({
    item: id,
    role,
    document,
    tokens: 20,
    bytes: answer.length,
    negativeLogLikelihood: answer.length * Math.LN2 * (bitsPerByte + (index % 2) / 100),
    generated: null,
    reference: answer,
    sources,
  }));
const models = { name: 'twin', alias: 'champion', base: 'twin@b', sft: 'twin@s', candidate: 'twin@c', incumbent: null };
const retrieval = { questions: 0, recallAt: {}, meanReciprocalRank: 0, ndcg10: 0 };

test('the first candidate is measured against its own base, over the frozen set', async () => {
  const { outputs } = await runStep(scoreReport, {
    inputs: {
      models,
      items,
      retrieval,
      scores: [...scores('base', 3), ...scores('sft', 2), ...scores('candidate', 2), ...scores('incumbent', 3)],
    },
  });
  expect(outputs['report']).toMatchObject({
    frozenSet: digestOf(items),
    models: [{ role: 'base' }, { role: 'sft' }, { role: 'candidate' }],
    comparison: { against: 'base', resamples: 10_000, items: 8, documents: 3 },
    retrieval,
    verdict: 'pass',
  });
});

test('a later one is measured against the incumbent', async () => {
  const { outputs } = await runStep(scoreReport, {
    inputs: {
      models: { ...models, incumbent: 'twin@i' },
      items,
      retrieval,
      scores: [...scores('base', 3), ...scores('sft', 2), ...scores('candidate', 2.5), ...scores('incumbent', 2)],
    },
  });
  expect(outputs['report']).toMatchObject({ comparison: { against: 'incumbent', margin: 0.01 }, verdict: 'fail' });
});
