import { expect, test } from 'vitest';
import { modelReference } from '../../../src/registry/models.ts';
import { registerTraining } from '../../../src/registry/register-training.ts';
import { resolveBase } from '../../../steps/training/resolve-base.ts';
import { metadataStore, trainingRun } from '../../support/registry-fixture.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';

test('chooses no base unless one is named, so that a tiny one is made', async () => {
  const ports = { metadataStore: await metadataStore() };
  const { outputs } = await runStep(resolveBase, { ports });
  expect(outputs.choice).toEqual({ alias: '', model: null });
  expect(await observeStep(resolveBase, { ports })).toBe('none');
});

test('finds a base by version or by alias, and sees when the alias moves', async () => {
  const ports = { metadataStore: await metadataStore() };
  const model = await registerTraining(ports.metadataStore, trainingRun(), 'run-1');
  for (const from of [modelReference(model), 'twin@candidate']) {
    const { outputs } = await runStep(resolveBase, { ports, params: { from } });
    expect(outputs.choice).toMatchObject({ model });
    expect(outputs.start).toEqual({ adopted: model.weights });
    expect(await observeStep(resolveBase, { ports, params: { from } })).toBe(modelReference(model));
  }
});

test('says how a model is taken in where the name fits none', async () => {
  const ports = { metadataStore: await metadataStore() };
  await expect(runStep(resolveBase, { ports, params: { from: 'llama@0123' } })).rejects.toMatchObject({
    problem: {
      message: 'The base llama@0123 names no version of the registry',
      hint: 'Take a model in with: twin models register <folder> --name <name>, or: twin models pull <repository>',
    },
  });
});
