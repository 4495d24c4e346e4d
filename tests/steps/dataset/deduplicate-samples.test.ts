import { expect, test } from 'vitest';
import { deduplicateSamples } from '../../../steps/dataset/deduplicate-samples.ts';
import { instructionSample, wordsFrom } from '../../support/dataset-rows.ts';
import { runStep } from '../../support/step-rig.ts';

const sources = [{ document: 'document-1', revision: '0'.repeat(64) }];
const sampled = (id: string, answer: string) => ({
  document: 'document-1',
  sources,
  samples: [instructionSample({ id, instruction: `${id}?`, answer })],
  skipped: {},
});

test('keeps one of two copies in two documents, sorted by id, and tells what went', async () => {
  const { outputs, counts, logs } = await runStep(deduplicateSamples, {
    inputs: { sampled: [sampled('c', wordsFrom('c', 30)), sampled('b', wordsFrom('a', 30)), sampled('a', wordsFrom('a', 30))] },
  });
  expect((outputs['samples'] as { id: string }[]).map(({ id }) => id)).toEqual(['a', 'c']);
  expect(outputs['dropped']).toEqual({
    before: 3,
    after: 2,
    reasons: { 'exact-duplicate': 1 },
    examples: [{ id: 'b', reason: 'exact-duplicate', because: 'a', document: 'document-1' }],
  });
  expect(counts).toEqual({ 'exact-duplicate': 1 });
  expect(logs).toEqual(['Answers of similarity 0.7 are compared with probability 0.9748']);
});

test('a higher threshold keeps what is only alike', async () => {
  const text = wordsFrom('w', 30);
  const inputs = { sampled: [sampled('a', text), sampled('b', text.replace('w15', 'changed'))] };
  expect((await runStep(deduplicateSamples, { inputs })).outputs['samples']).toHaveLength(1);
  expect((await runStep(deduplicateSamples, { inputs, params: { threshold: 0.9 } })).outputs['samples']).toHaveLength(2);
});
