import { expect, test } from 'vitest';
import { parseInstructionExport, parsePreferenceExport } from '../../src/datasets/ancestor-export.ts';

const exported = (sample: object) => ({
  id: 'set',
  train: { articles: { id: 'a', category: 'articles', samples: [sample] } },
  test: { articles: { id: 'b', category: 'articles', samples: [] } },
  test_split_size: 0.1,
});

test('instruction samples come with their split and without a source', () => {
  expect(parseInstructionExport(exported({ id: '1', instruction: 'Why?', answer: 'Because.' }))).toEqual({
    ok: true,
    value: [{ id: '1', split: 'train', instruction: 'Why?', answer: 'Because.', document: null, slice: null }],
  });
});

test('preference pairs come without a source', () => {
  expect(parsePreferenceExport(exported({ id: '1', instruction: 'Why?', chosen: 'Because.', rejected: 'No.' }))).toEqual({
    ok: true,
    value: [{ id: '1', prompt: 'Why?', chosen: 'Because.', rejected: 'No.', document: null }],
  });
});

test('another shape is refused by name and place', () => {
  expect(parsePreferenceExport(exported({ id: '1', instruction: 'Why?', answer: 'Because.' }))).toEqual({
    ok: false,
    error: {
      reason: 'unreadable-export',
      message: 'This is not the export of a preference set',
      where: 'train.articles.samples.0.chosen',
      expected: 'train and test, each with categories that hold samples',
      found: 'Invalid input: expected string, received undefined',
      exit: 2,
    },
  });
  expect(parseInstructionExport([])).toMatchObject({ ok: false, error: { where: 'the top level' } });
});
