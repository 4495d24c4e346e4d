import { expect, test } from 'vitest';
import { resolveIndex } from '../../../steps/inference/resolve-index.ts';
import { indexOf } from '../../support/filled-index.ts';
import { hashEmbedder } from '../../support/hash-embedder.ts';
import { memoryVectorIndex } from '../../support/memory-vector-index.ts';
import { metadataStore } from '../../support/registry-fixture.ts';
import { runStep } from '../../support/step-rig.ts';

test('finds the generation behind the alias', async () => {
  const ports = { metadataStore: await metadataStore(), vectorIndex: await indexOf(['text'], hashEmbedder()) };
  expect((await runStep(resolveIndex, { ports })).outputs).toMatchObject({ index: { index: 'documents', generation: 'documents-1' } });
});

test('says how to make an index where there is none', async () => {
  const ports = { metadataStore: await metadataStore(), vectorIndex: memoryVectorIndex() };
  await expect(runStep(resolveIndex, { ports })).rejects.toMatchObject({ problem: { reason: 'no-index', exit: 1 } });
});
