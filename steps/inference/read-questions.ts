import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { Question } from '../../src/contracts/inference.ts';
import { defineStep } from '../../src/engine/define.ts';
import { parseQuestions } from '../../src/inference/questions.ts';

/** Reads a file of questions: one a line, or JSON Lines of id and question. */
export const readQuestions = defineStep({
  name: 'read-questions',
  version: 1,
  summary: 'Read the question file',
  params: z.strictObject({ file: z.string().default('configs/questions.txt') }),
  files: (params) => [params.file],
  inputs: {},
  outputs: { questions: rows('questions', Question) },
  async run({ params, outputs, count, log }) {
    const { questions, rejected } = parseQuestions(await readFile(params.file, 'utf8'));
    for (const question of questions) await outputs.questions.write(question);
    for (const { line, message } of rejected) log(`${params.file}:${line}: ${message}`);
    if (rejected.length > 0) count('rejected', rejected.length);
  },
});
