import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { Question } from '../../src/contracts/inference.ts';
import { defineStep } from '../../src/engine/define.ts';
import { parseQuestions } from '../../src/inference/questions.ts';

const usualFile = 'configs/questions.txt';

/** A project needs no questions; only a file that somebody names must be there. */
const isLeftOut = (file: string) => file === usualFile && !existsSync(file);

/** Reads a file of questions: one a line, or JSON Lines of id and question. */
export const readQuestions = defineStep({
  name: 'read-questions',
  version: 1,
  summary: 'Read the question file',
  params: z.strictObject({ file: z.string().default(usualFile) }),
  files: ({ file }) => (isLeftOut(file) ? [] : [file]),
  inputs: {},
  outputs: { questions: rows('questions', Question) },
  async run({ params, outputs, count, log }) {
    if (isLeftOut(params.file)) {
      log(`There is no ${params.file}, so no question is asked. Write one a line there, or name another file: read-questions.file`);
      return;
    }
    const { questions, rejected } = parseQuestions(await readFile(params.file, 'utf8'));
    for (const question of questions) await outputs.questions.write(question);
    for (const { line, message } of rejected) log(`${params.file}:${line}: ${message}`);
    if (rejected.length > 0) count('rejected', rejected.length);
  },
});
