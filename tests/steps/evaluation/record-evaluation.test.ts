import { expect, test } from 'vitest';
import { digestOf, sha256 } from '../../../src/contracts/digest.ts';
import type { EvaluationReport } from '../../../src/contracts/evaluation.ts';
import { listEvaluations } from '../../../src/registry/evaluations.ts';
import { recordEvaluationVerdict } from '../../../steps/evaluation/record-evaluation.ts';
import { metadataStore } from '../../support/registry-fixture.ts';
import { runStep } from '../../support/step-rig.ts';

const report: EvaluationReport = {
  frozenSet: sha256('test'),
  signature: 'bits per byte',
  models: [
    { role: 'candidate', version: 'v', items: 1, loss: 1, perplexityPerToken: 2, bitsPerByte: 1.5, perplexityPerByte: 2, rougeL: null },
  ],
  comparison: null,
  retrieval: null,
  verdict: 'undecided',
  reasons: ['too few documents'],
};

test('keeps every verdict in the registry, also one that moves nothing, and keeps it once', async () => {
  const metadata = await metadataStore();
  const models = { name: 'twin', alias: 'champion', base: 'twin@b', sft: 'twin@s', candidate: 'twin@c', incumbent: 'twin@i' };
  const given = { inputs: { models, report }, ports: { metadataStore: metadata } };
  const { outputs } = await runStep(recordEvaluationVerdict, given);
  await runStep(recordEvaluationVerdict, given);
  const kept = await listEvaluations(metadata, 'twin');
  expect(kept).toMatchObject([
    { candidate: 'twin@c', incumbent: 'twin@i', verdict: 'undecided', report: digestOf(report), bitsPerByte: 1.5, difference: null },
  ]);
  expect(outputs).toEqual({ evaluation: kept[0] });
});
