import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readQuestions } from '../../../steps/inference/read-questions.ts';
import { runStep } from '../../support/step-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test('reads the questions, and names the lines that hold none', async () => {
  const file = join(await temporaryFolder(), 'questions.txt');
  await writeFile(file, 'What is twin?\n{broken\n');
  const { outputs, counts, logs } = await runStep(readQuestions, { params: { file } });
  expect(outputs.questions).toMatchObject([{ question: 'What is twin?' }]);
  expect(counts).toEqual({ rejected: 1 });
  expect(logs).toEqual([`${file}:2: not a question: expected text, or JSON with a string \`question\``]);
});
