import { expect, test } from 'vitest';
import { makeRetrievalQuestions } from '../../../steps/dataset/make-retrieval-questions.ts';
import { cleanDocument } from '../../support/dataset-rows.ts';
import { runStep } from '../../support/step-rig.ts';

const document = (id: string) =>
  cleanDocument(
    Array.from(
      { length: 5 },
      (_, index) =>
        `## Heading ${index} of ${id}\n\nThis section of ${id} says at some length what the heading number ${index} promises to tell.`,
    ).join('\n\n'),
    { id, title: id },
  );

test('asks for sections of every document, and counts those beyond the limit', async () => {
  const documents = [document('a'), document('b')];
  const all = await runStep(makeRetrievalQuestions, { inputs: { documents } });
  expect(all.outputs['questions']).toHaveLength(10);
  expect(all.counts).toEqual({});
  const some = await runStep(makeRetrievalQuestions, { inputs: { documents }, params: { limit: 4 } });
  expect(some.outputs['questions']).toHaveLength(4);
  expect(some.counts).toEqual({ 'not-chosen': 6 });
  expect(all.outputs['questions']).toEqual(expect.arrayContaining(some.outputs['questions'] as unknown[]));
});
