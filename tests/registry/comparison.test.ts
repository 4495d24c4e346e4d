import { describe, expect, test } from 'vitest';
import { moveAlias } from '../../src/registry/aliases.ts';
import { comparisonFor } from '../../src/registry/comparison.ts';
import { modelReference, registerModel } from '../../src/registry/models.ts';
import { registerTraining } from '../../src/registry/register-training.ts';
import { metadataStore, trainingRun } from '../support/registry-fixture.ts';

const promote = { model: 'twin', alias: 'champion', who: 'a test', run: null, report: null, reason: 'better' };

describe('what a candidate is compared with', () => {
  test('is its base, its SFT version, and nobody while there is no champion', async () => {
    const store = await metadataStore();
    const candidate = await registerTraining(store, trainingRun(), 'run-1');
    const { names, base, sft, incumbent } = await comparisonFor(store, candidate, 'champion');
    expect(base.method).toBe('pretrain-tiny');
    expect(sft.method).toBe('sft');
    expect(incumbent).toBeNull();
    expect(names).toMatchObject({ candidate: modelReference(candidate), incumbent: null });
  });

  test('stays the same once it has been promoted', async () => {
    const store = await metadataStore();
    const first = await registerTraining(store, trainingRun('a'), 'run-1');
    await moveAlias(store, { ...promote, expected: null, to: modelReference(first) });
    const second = await registerTraining(store, trainingRun('b'), 'run-2');
    const before = await comparisonFor(store, second, 'champion');
    await moveAlias(store, { ...promote, expected: modelReference(first), to: modelReference(second) });
    expect(await comparisonFor(store, second, 'champion')).toEqual(before);
    expect(before.incumbent).toEqual(first);
  });

  test('names the version that is missing', async () => {
    const store = await metadataStore();
    const registered = await registerTraining(store, trainingRun(), 'run-1');
    const { version: _version, run: _run, createdAt: _createdAt, ...content } = registered;
    const orphan = await registerModel(store, { ...content, base: 'twin@gone' }, 'run-2');
    await expect(comparisonFor(store, orphan, 'champion')).rejects.toMatchObject({
      problem: { reason: 'no-version', message: `${modelReference(orphan)} has no base in the registry`, found: 'twin@gone', exit: 1 },
    });
  });
});
