import { expect, test } from 'vitest';
import { moveAlias } from '../../../src/registry/aliases.ts';
import { modelReference } from '../../../src/registry/models.ts';
import { registerTraining } from '../../../src/registry/register-training.ts';
import { resolveChampion } from '../../../steps/inference/resolve-champion.ts';
import { metadataStore, trainingRun } from '../../support/registry-fixture.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';

test('resolves to nobody before the first promotion, and to the promoted version after it', async () => {
  const ports = { metadataStore: await metadataStore() };
  expect((await runStep(resolveChampion, { ports })).outputs).toEqual({ champion: { alias: 'champion', model: null } });
  const model = await registerTraining(ports.metadataStore, trainingRun(), 'run-1');
  const to = modelReference(model);
  await moveAlias(ports.metadataStore, {
    model: 'twin',
    alias: 'champion',
    expected: null,
    to,
    who: 'me',
    run: null,
    report: null,
    reason: '',
  });
  expect((await runStep(resolveChampion, { ports })).outputs).toEqual({ champion: { alias: 'champion', model } });
  expect(await observeStep(resolveChampion, { ports })).toBe(to);
});
