import { expect, test } from 'vitest';
import { digestOf, sha256 } from '../../../src/contracts/digest.ts';
import type { EvaluationReport } from '../../../src/contracts/evaluation.ts';
import { moveAlias, readAlias } from '../../../src/registry/aliases.ts';
import { modelReference } from '../../../src/registry/models.ts';
import { registerTraining } from '../../../src/registry/register-training.ts';
import { promoteCandidate } from '../../../steps/evaluation/promote-candidate.ts';
import { metadataStore, trainingRun } from '../../support/registry-fixture.ts';
import { runStep } from '../../support/step-rig.ts';

const report: EvaluationReport = {
  frozenSet: sha256('test'),
  signature: 'bits per byte',
  models: [
    { role: 'candidate', version: 'v', items: 1, loss: 1, perplexityPerToken: 2, bitsPerByte: 1, perplexityPerByte: 2, rougeL: null },
  ],
  comparison: null,
  retrieval: null,
  verdict: 'pass',
  reasons: ['better by 0.1 bits per byte'],
};

async function candidates() {
  const store = await metadataStore();
  const candidate = await registerTraining(store, trainingRun(), 'run-1');
  const reference = modelReference(candidate);
  const models = { name: 'twin', alias: 'champion', base: 'twin@b', sft: 'twin@s', candidate: reference, incumbent: null };
  return { store, candidate, reference, given: { inputs: { models, report }, ports: { metadataStore: store } } };
}

test('moves the alias, and keeps with the move which report justified it', async () => {
  const { store, candidate, reference, given } = await candidates();
  expect((await runStep(promoteCandidate, given)).outputs).toEqual({ champion: { alias: 'champion', model: candidate } });
  expect((await readAlias(store, 'twin', 'champion')).moves).toMatchObject([
    { from: null, to: reference, report: digestOf(report), reason: 'better by 0.1 bits per byte' },
  ]);
});

test('run again after a crash, moves nothing twice', async () => {
  const { store, given } = await candidates();
  await runStep(promoteCandidate, given);
  await runStep(promoteCandidate, given);
  expect((await readAlias(store, 'twin', 'champion')).moves).toHaveLength(1);
});

test('does not overwrite what someone else promoted meanwhile', async () => {
  const { store, given } = await candidates();
  await moveAlias(store, {
    model: 'twin',
    alias: 'champion',
    expected: null,
    to: 'twin@other',
    who: 'me',
    run: null,
    report: null,
    reason: '',
  });
  await expect(runStep(promoteCandidate, given)).rejects.toMatchObject({
    problem: { reason: 'alias-moved', expected: 'no target', found: 'twin@other', exit: 1 },
  });
});
