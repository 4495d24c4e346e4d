import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sampleDocument } from '../../src/datasets/instructions.ts';
import { sections } from '../../src/text/structure.ts';
import { cleanDocument } from '../support/dataset-rows.ts';

const limits = { minimumCharacters: 20, maximumCharacters: 80 };
const sample = (text: string, change: Parameters<typeof cleanDocument>[1] = {}) => {
  const document = cleanDocument(text, change);
  return sampleDocument(document, sections(document), limits);
};

test('a section becomes a sample whose answer is its exact text', () => {
  const text = '# Guide\n\n## Chunks\n\nA chunk fits the embedder’s window. 😀\n';
  const { samples, skipped } = sample(text);
  expect(skipped).toEqual({});
  expect(samples).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      instruction: expect.stringContaining('"Chunks"'),
      answer: 'A chunk fits the embedder’s window. 😀',
      method: 'heading-section',
      document: 'document-1',
      headings: ['Guide', 'Chunks'],
      start: 20,
      end: 57,
      sources: [{ document: 'document-1', revision: '0'.repeat(64) }],
    },
  ]);
  expect([...text].slice(20, 57).join('')).toBe(samples[0]!.answer);
});

test('a long section gives several samples, each asked for by what stands before it', () => {
  const { samples } = sample(
    '# Guide\n\nThe first paragraph says what the guide is all about.\n\nThe second paragraph says what it leaves out for now.\n',
  );
  expect(samples.map(({ answer }) => answer)).toEqual([
    'The first paragraph says what the guide is all about.',
    'The second paragraph says what it leaves out for now.',
  ]);
  expect(samples[1]!.instruction).toContain('"The first paragraph says what the guide is all about."');
});

test('sections that cannot answer are skipped, and counted by reason', () => {
  const { samples, skipped } = sample(
    [
      '# Guide',
      '## Short\n\nToo short.',
      '## Code\n\n```\nconst answer = 42; // and more\n```',
      '## Links\n\n- [One thing](a)\n- [Another thing](b)',
      '## Slot\n\nPlease send {extract} to the model at once.',
      `## Long\n\n${'A sentence with several words. '.repeat(5)}`,
      `## ${'Endless heading '.repeat(40)}\n\nAn answer that would do very well.`,
    ].join('\n\n'),
  );
  expect(samples).toEqual([]);
  expect(skipped).toEqual({ 'too-short': 1, 'code-only': 1, 'no-sentence': 1, placeholder: 1, 'too-long': 1, 'long-heading': 1 });
});

test('code has no author’s prose, and text without title or heading nothing to ask for', () => {
  expect(sample('/** Adds two numbers together. */\nexport const add = 1;', { contentType: 'code' })).toMatchObject({
    samples: [],
    skipped: { 'code-document': 1 },
  });
  expect(sample('A text without any heading at all.', { title: null, contentType: 'text' })).toMatchObject({
    samples: [],
    skipped: { 'no-heading': 1 },
  });
});

test('an instruction comes once a document', () => {
  const section = '## Why does it matter?\n\nIt matters for more than one reason';
  expect(sample(`${section}, first.\n\n${section}, second.`)).toMatchObject({ samples: [{}], skipped: { 'repeated-instruction': 1 } });
});

test('an edit elsewhere leaves the id of a sample alone', () => {
  const section = '## Chunks\n\nA chunk fits the window of the embedder.';
  expect(sample(`New words.\n\n${section}`).samples.at(-1)!.id).toBe(sample(section).samples[0]!.id);
});

test('every answer of any Markdown is an exact slice within the limits', () => {
  const line = fc.constantFrom(
    '# Head',
    '## Other head',
    'A sentence of more than five words.',
    '```',
    '',
    '- item',
    '😀 emoji sentence with quite some words.',
    '    code',
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const text = lines.join('\n');
      for (const { answer, start, end } of sample(text).samples) {
        expect([...text].slice(start, end).join('')).toBe(answer);
        expect(end - start).toBeGreaterThanOrEqual(limits.minimumCharacters);
        expect(end - start).toBeLessThanOrEqual(limits.maximumCharacters);
      }
    }),
  );
});
