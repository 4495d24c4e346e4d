import { expect, test } from 'vitest';
import { z } from 'zod';
import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { type PipelineBuilder, defineStep } from '../../src/engine/define.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lineage } from '../../src/history/lineage.ts';
import { engineRig } from '../support/engine-rig.ts';

const none = z.strictObject({});
const Source = z.strictObject({ document: z.string(), revision: z.string() });
const documents = rows('documents', z.strictObject({ text: z.string(), sources: z.array(Source) }));
const samples = rows('samples', z.strictObject({ question: z.string(), sources: z.array(Source) }));
const card = json('card', z.strictObject({ samples: z.int() }));
const source = (document: string) => ({ document, revision: `revision of ${document}` });

const snapshot = defineStep({
  name: 'snapshot',
  version: 1,
  summary: 'Snapshot',
  params: none,
  inputs: {},
  outputs: { documents },
  async run({ outputs }) {
    for (const name of ['a', 'b', 'c']) await outputs.documents.write({ text: name, sources: [source(name)] });
  },
});
const generate = defineStep({
  name: 'generate',
  version: 1,
  summary: 'Generate from two of the documents',
  params: none,
  inputs: { documents },
  outputs: { samples, card },
  async run({ outputs }) {
    await outputs.samples.write({ question: '?', sources: [source('c'), source('a')] });
    await outputs.card.write({ samples: 1 });
  },
});
const train = defineStep({
  name: 'train',
  version: 1,
  summary: 'Train',
  params: none,
  inputs: { samples, card },
  outputs: { model: folder('model') },
  run: ({ outputs }) => writeFile(join(outputs.model.path, 'weights'), '0'),
});
const build = (builder: PipelineBuilder) => builder.step(train, builder.step(generate, builder.step(snapshot, {})));

test('the lineage of a model leads back to the documents that its samples came from', async () => {
  const rig = await engineRig();
  const run = await rig.run(build);
  const model = run.finished('train').artifacts['model']!;
  const past = await lineage(rig.stores, model.digest);
  expect(past.steps.map(({ address, distance, run: by }) => ({ address, distance, by }))).toEqual([
    { address: 'train', distance: 0, by: run.end.run },
    { address: 'generate', distance: 1, by: run.end.run },
    { address: 'snapshot', distance: 2, by: run.end.run },
  ]);
  // Document b was in the snapshot, but no sample came from it.
  expect(past.documents).toEqual([source('a'), source('c')]);
});

test('of something that twin has not made nothing is known', async () => {
  const rig = await engineRig();
  expect(await lineage(rig.stores, 'f'.repeat(64))).toEqual({ artifact: 'f'.repeat(64), steps: [], documents: [] });
});

test('a step that opens what is stored already does not hide who made it', async () => {
  const rig = await engineRig();
  const run = await rig.run(build);
  const model = run.finished('train').artifacts['model']!;
  const compare = defineStep({
    name: 'compare',
    version: 1,
    summary: 'Open the model for a comparison',
    params: none,
    inputs: {},
    outputs: { candidate: folder('candidate') },
    run: ({ outputs }) => outputs.candidate.adopt({ digest: model.digest }),
  });
  const later = await rig.run((builder) => builder.step(compare, {}));
  expect(later.finished('compare').artifacts['candidate']!.digest).toBe(model.digest);
  const past = await lineage(rig.stores, model.digest);
  expect(past.steps.map(({ address }) => address)).toEqual(['train', 'generate', 'snapshot']);
  expect(past.documents.map(({ document }) => document)).toEqual(['a', 'c']);
});
