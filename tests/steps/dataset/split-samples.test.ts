import { expect, test } from 'vitest';
import { splitSamples } from '../../../steps/dataset/split-samples.ts';
import { instructionSample } from '../../support/dataset-rows.ts';
import { runStep } from '../../support/step-rig.ts';

const samples = Array.from({ length: 60 }, (_, index) =>
  instructionSample({ id: String(index).padStart(2, '0'), document: `document-${index % 20}` }),
);

test('all samples of a document stand in one split, and each sample in exactly one', async () => {
  const { outputs, counts } = await runStep(splitSamples, { inputs: { samples } });
  const splits = Object.entries(outputs as Record<string, typeof samples>);
  expect(splits.flatMap(([, rows]) => rows)).toHaveLength(60);
  const homes = new Map<string, Set<string>>();
  for (const [split, rows] of splits) for (const { document } of rows) homes.getOrInsertComputed(document, () => new Set()).add(split);
  expect([...homes.values()].every(({ size }) => size === 1)).toBe(true);
  expect(counts).toEqual(Object.fromEntries(splits.filter(([, rows]) => rows.length > 0).map(([split, rows]) => [split, rows.length])));
});

test('new documents move no old one', async () => {
  const before = (await runStep(splitSamples, { inputs: { samples: samples.slice(0, 10) } })).outputs as Record<string, typeof samples>;
  const after = (await runStep(splitSamples, { inputs: { samples } })).outputs as Record<string, typeof samples>;
  for (const split of ['train', 'validation', 'test']) expect(after[split]).toEqual(expect.arrayContaining(before[split]!));
});

test('shares that leave nothing to train on are refused', async () => {
  await expect(runStep(splitSamples, { inputs: { samples }, params: { validation: 0.5, test: 0.5 } })).rejects.toThrow(
    'must leave a share to train on',
  );
});
