import { expect, test } from 'vitest';
import { modelReference } from '../../../src/registry/models.ts';
import { registerTraining } from '../../../src/registry/register-training.ts';
import { resolveTeacher } from '../../../steps/compression/resolve-teacher.ts';
import { metadataStore, trainingRun } from '../../support/registry-fixture.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';

test('opens what an alias names, or a version by its digits', async () => {
  const ports = { metadataStore: await metadataStore() };
  const model = await registerTraining(ports.metadataStore, trainingRun(), 'run-1');
  for (const from of ['candidate', model.version.slice(0, 8)]) {
    const { outputs } = await runStep(resolveTeacher, { ports, params: { from } });
    expect(outputs.teacher).toEqual(model);
    expect(outputs.model).toEqual({ adopted: model.weights });
  }
  expect(await observeStep(resolveTeacher, { ports, params: { from: 'candidate' } })).toBe(modelReference(model));
});

test('says how to name a version where the alias names none', async () => {
  const ports = { metadataStore: await metadataStore() };
  await expect(runStep(resolveTeacher, { ports })).rejects.toMatchObject({
    problem: {
      message: "'champion' of twin names no version",
      hint: 'See: twin models list; then name one with: --set resolve-teacher.from=<alias or version>',
    },
  });
});
