import { describe, expect, test } from 'vitest';
import { readAlias } from '../../src/registry/aliases.ts';
import { findModels, listModels, modelReference } from '../../src/registry/models.ts';
import { registerTraining } from '../../src/registry/register-training.ts';
import { metadataStore, trainingRun } from '../support/registry-fixture.ts';

describe('registering a training run', () => {
  test('makes three versions that point at one another, and names the last as candidate', async () => {
    const store = await metadataStore();
    const candidate = await registerTraining(store, trainingRun(), 'run-1');
    const [base, sft, dpo] = await listModels(store, 'twin');
    expect([base!.method, sft!.method, dpo!.method]).toEqual(['pretrain-tiny', 'sft', 'dpo']);
    expect(dpo).toEqual(candidate);
    expect(sft!.base).toBe(modelReference(base!));
    expect(dpo!.parent).toBe(modelReference(sft!));
    expect((await readAlias(store, 'twin', 'candidate')).target).toBe(modelReference(candidate));
  });

  test('done twice changes nothing: versions are their content', async () => {
    const store = await metadataStore();
    const first = await registerTraining(store, trainingRun(), 'run-1');
    const again = await registerTraining(store, trainingRun(), 'run-2');
    expect(again).toEqual(first);
    expect(await listModels(store)).toHaveLength(3);
    expect((await readAlias(store, 'twin', 'candidate')).moves).toHaveLength(1);
  });

  test('two registrations at once make each version once', async () => {
    const store = await metadataStore();
    await Promise.allSettled([registerTraining(store, trainingRun(), 'run-1'), registerTraining(store, trainingRun(), 'run-2')]);
    expect(new Set((await listModels(store)).map(modelReference)).size).toBe(3);
    expect(await listModels(store)).toHaveLength(3);
  });

  test('a version is found by reference, by itself, and by its first digits', async () => {
    const store = await metadataStore();
    const candidate = await registerTraining(store, trainingRun(), 'run-1');
    for (const reference of [modelReference(candidate), candidate.version, candidate.version.slice(0, 8)]) {
      expect(await findModels(store, reference)).toEqual([candidate]);
    }
    expect(await findModels(store, 'other@0')).toEqual([]);
  });
});
