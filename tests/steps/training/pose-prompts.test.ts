import { expect, test } from 'vitest';
import { posePrompts } from '../../../steps/training/pose-prompts.ts';
import { sample } from '../../support/samples.ts';
import { runStep } from '../../support/step-rig.ts';

test('takes the same prompts whatever the order of the samples, and counts the rest', async () => {
  const samples = ['d', 'b', 'a', 'c'].map((id) => sample(id));
  const { outputs, counts } = await runStep(posePrompts, { inputs: { train: samples }, params: { limit: 2 } });
  expect(outputs.prompts).toEqual(['a', 'b'].map((id) => ({ id, instruction: sample(id).instruction })));
  expect(counts).toEqual({ 'beyond-limit': 2 });
  expect((await runStep(posePrompts, { inputs: { train: samples.toReversed() }, params: { limit: 2 } })).outputs).toEqual(outputs);
});
