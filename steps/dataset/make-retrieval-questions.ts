import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { RetrievalQuestion } from '../../src/contracts/dataset.ts';
import { CleanDocument } from '../../src/contracts/document.ts';
import { chooseQuestions, questionsOf } from '../../src/datasets/questions.ts';
import { defineStep } from '../../src/engine/define.ts';
import { sections } from '../../src/text/structure.ts';

/** Asks for sections by their headings, to measure whether retrieval finds them. */
export const makeRetrievalQuestions = defineStep({
  name: 'make-retrieval-questions',
  version: 1,
  summary: 'Ask for sections by their headings',
  params: z.strictObject({
    /** Questions at most: a stable choice over the whole corpus. */
    limit: z.int().positive().default(100),
    /** Length of the shortest section that is asked for, in characters. */
    minimumCharacters: z.int().positive().default(80),
  }),
  inputs: { documents: rows('clean-documents', CleanDocument) },
  outputs: { questions: rows('retrieval-questions', RetrievalQuestion) },
  async run({ inputs, outputs, params, count }) {
    const limits = { minimumCharacters: params.minimumCharacters, maximumCharacters: Number.MAX_SAFE_INTEGER };
    const questions: RetrievalQuestion[] = [];
    for await (const document of inputs.documents) questions.push(...questionsOf(document, sections(document), limits));
    const chosen = chooseQuestions(questions, params.limit);
    for (const question of chosen) await outputs.questions.write(question);
    if (questions.length > chosen.length) count('not-chosen', questions.length - chosen.length);
  },
});
