import { expect, test } from 'vitest';
import { listModels, modelReference } from '../../src/registry/models.ts';
import { registerTraining } from '../../src/registry/register-training.ts';
import { trainedOn } from '../../src/registry/trained-on.ts';
import { metadataStore, trainingRun } from '../support/registry-fixture.ts';

test('a version learned from rows that are its own, or from those of what it was tuned from', async () => {
  const store = await metadataStore();
  await registerTraining(store, trainingRun('a'), 'r1');
  await registerTraining(store, trainingRun('b'), 'r2');
  const models = await listModels(store);
  const sft = models.find(({ method, data }) => method === 'sft' && data === trainingRun('a').sft.data)!;
  const dpo = models.find(({ parent }) => parent === modelReference(sft))!;
  expect(trainedOn(models, new Set([sft.data!]))).toEqual([
    { model: sft, through: null },
    { model: dpo, through: modelReference(sft) },
  ]);
  expect(trainedOn(models, new Set([trainingRun('b').base.data]))).toHaveLength(3);
  expect(trainedOn(models, new Set())).toEqual([]);
});
