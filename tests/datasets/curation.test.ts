import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decontaminateSamples, deduplicateSamples } from '../../src/datasets/curation.ts';
import { defaultMinHash } from '../../src/datasets/minhash.ts';
import { gateSampleOf, gateSamples } from '../../src/datasets/gate.ts';
import { sampleDocument } from '../../src/datasets/instructions.ts';
import { splitOf } from '../../src/datasets/split.ts';
import { sections } from '../../src/text/structure.ts';
import { cleanDocument, instructionSample, wordsFrom } from '../support/dataset-rows.ts';

const sample = (id: string, instruction: string, answer: string) => instructionSample({ id, instruction, answer });

test('copies and repeated instructions go, the lowest id stays, and the report tells why', async () => {
  const samples = [
    sample('d', 'Fourth?', wordsFrom('d', 30)),
    sample('c', 'what is FIRST', wordsFrom('c', 30)),
    sample('b', 'Second?', wordsFrom('a', 30)),
    sample('a', 'What is first?', wordsFrom('a', 30)),
  ];
  const { kept, report } = await deduplicateSamples(samples, defaultMinHash);
  expect(kept.map(({ id }) => id)).toEqual(['a', 'd']);
  expect(report).toEqual({
    before: 4,
    after: 2,
    reasons: { 'exact-duplicate': 1, 'repeated-instruction': 1 },
    examples: [
      { id: 'b', reason: 'exact-duplicate', because: 'a', document: 'document-1' },
      { id: 'c', reason: 'repeated-instruction', because: 'a', document: 'document-1' },
    ],
  });
});

test('a sample that went as a duplicate takes no other with it for its instruction', async () => {
  const samples = [
    sample('a', 'One?', wordsFrom('a', 30)),
    sample('b', 'Two?', wordsFrom('a', 30)),
    sample('c', 'Two?', wordsFrom('c', 30)),
  ];
  expect((await deduplicateSamples(samples, defaultMinHash)).kept.map(({ id }) => id)).toEqual(['a', 'c']);
});

test('training samples that overlap held-out ones go', async () => {
  const held = sample('held', 'Held?', wordsFrom('w', 40));
  const overlapping = sample('train-1', 'Train?', `so ${wordsFrom('w', 20)} end`);
  const clean = sample('train-2', 'Train too?', wordsFrom('x', 40));
  expect(await decontaminateSamples([overlapping, clean], [held], 13)).toEqual({
    kept: [clean],
    report: {
      before: 2,
      after: 1,
      reasons: { 'held-out-overlap': 1 },
      examples: [{ id: 'train-1', reason: 'held-out-overlap', because: 'held', document: 'document-1' }],
    },
  });
});

test('whatever the documents hold, the set that is made of them passes its gate', async () => {
  const line = fc.constantFrom(
    '# Guide',
    '## Chunks and their window',
    '## What does the extract say?',
    '## A {slot} in a heading',
    'A chunk is an exact slice of the cleaned text that fits the embedder.',
    'It says so in the context of one long sentence that stands in more than one document of this very corpus.',
    'Send {extract} to <your-name> at once, as they say.',
    'Use `{extract}` and go on with it until the end.',
    '```',
    '    indented {code} here',
    '- item with a few words. And more',
    '',
    '',
    '😀 A sentence with quite some words, and one more of them.',
  );
  const document = fc.array(line, { maxLength: 25 }).map((lines) => lines.join('\n'));
  await fc.assert(
    fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 8 }), async (contents) => {
      const documents = contents.map((text, index) => cleanDocument(text, { id: `document-${index}`, title: index % 2 ? 'Guide' : null }));
      const samples = documents.flatMap(
        (each) => sampleDocument(each, sections(each), { minimumCharacters: 20, maximumCharacters: 200 }).samples,
      );
      const { kept } = await deduplicateSamples(samples, defaultMinHash);
      const assigned = Map.groupBy(kept, (each) => splitOf(each.document, { validation: 0.3, test: 0.3, salt: '' }));
      const test = assigned.get('test') ?? [];
      const validation = (await decontaminateSamples(assigned.get('validation') ?? [], test, 13)).kept;
      const train = (await decontaminateSamples(assigned.get('train') ?? [], [...validation, ...test], 13)).kept;
      const rows = Object.entries({ train, validation, test }).flatMap(([split, each]) =>
        each.map((sample) => gateSampleOf(sample, split as 'train' | 'validation' | 'test')),
      );
      const report = await gateSamples(rows, new Map(documents.map(({ id, text }) => [id, text])), []);
      expect(report.findings).toEqual([]);
    }),
  );
});
