import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { InstructionSample } from '../../../src/contracts/dataset.ts';
import { sha256 } from '../../../src/contracts/digest.ts';
import { mixInstructions } from '../../../steps/training/mix-instructions.ts';
import { sample } from '../../support/samples.ts';
import { runStep } from '../../support/step-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function publicSet(rows: number) {
  const lines = Array.from({ length: rows }, (_, at) =>
    JSON.stringify({ instruction: `What is ${at}?`, input: at % 2 ? `The number ${at}.` : '', output: `It is ${at}.`, text: 'ignored' }),
  );
  const text = [...lines, '{"instruction":"no output"}', ''].join('\n');
  const file = join(await temporaryFolder(), 'alpaca.jsonl');
  await writeFile(file, text);
  return { file, sha256: sha256(text) };
}

test('leaves the samples as they are where no set is named', async () => {
  const train = [sample('a'), sample('b')];
  const { outputs } = await runStep(mixInstructions, { inputs: { train } });
  expect(outputs.train).toEqual(train);
});

test('adds the same rows of a pinned set each time, other ones with another seed, and counts lines that are none', async () => {
  const set = await publicSet(40);
  const mixed = async (params: object) => {
    const { outputs, counts } = await runStep(mixInstructions, {
      inputs: { train: [sample('a')] },
      params: { ...set, rows: 10, ...params },
    });
    return { train: outputs.train as InstructionSample[], counts };
  };
  const { train, counts } = await mixed({});
  expect(train).toHaveLength(11);
  expect(counts).toEqual({ 'mixed in': 10, 'not a row': 1 });
  expect((await mixed({})).train).toEqual(train);
  expect((await mixed({ seed: 1 })).train).not.toEqual(train);
  const withInput = train.find(({ instruction }) => instruction.includes('The number'))!;
  expect(withInput.instruction).toMatch(/^What is \d+\?\n\nThe number \d+\.$/);
  expect(withInput).toMatchObject({ method: 'public', document: 'public:alpaca.jsonl', sources: [{ revision: set.sha256 }] });
});

test.each([
  [{ file: '/nowhere/set.jsonl' }, 'The public instruction set /nowhere/set.jsonl cannot be read'],
  [{ sha256: 'f'.repeat(64) }, 'is not the one that is pinned'],
  [{ rows: 41 }, 'has fewer rows than are wanted'],
])('refuses %j', async (params, message) => {
  const set = await publicSet(40);
  await expect(runStep(mixInstructions, { inputs: { train: [] }, params: { ...set, rows: 10, ...params } })).rejects.toThrow(message);
});
