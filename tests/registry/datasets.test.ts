import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/contracts/digest.ts';
import type { DatasetContent } from '../../src/registry/datasets.ts';
import { datasetReference, latestDataset, listDatasets, registerDataset } from '../../src/registry/datasets.ts';
import { metadataStore } from '../support/registry-fixture.ts';

const content = (mark: string): DatasetContent => {
  const split = { artifact: sha256(mark), count: 3 };
  return { name: 'instructions', splits: { train: split, validation: split, test: split }, preference: null, card: sha256(`${mark} card`) };
};

describe('the registry of datasets', () => {
  test('gives equal content one version', async () => {
    const store = await metadataStore();
    const first = await registerDataset(store, content('a'));
    expect(await registerDataset(store, { ...content('a'), card: sha256('another card') })).toEqual(first);
    expect(await listDatasets(store)).toHaveLength(1);
  });

  test('remembers what became latest last', async () => {
    const store = await metadataStore();
    const a = await registerDataset(store, content('a'));
    const b = await registerDataset(store, content('b'));
    expect(await latestDataset(store, 'instructions')).toEqual(b);
    await registerDataset(store, content('a'));
    expect(datasetReference((await latestDataset(store, 'instructions'))!)).toBe(datasetReference(a));
    expect(await latestDataset(store, 'other')).toBeNull();
  });
});
