import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { PromptRow } from '../../src/contracts/jobs.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Takes the instructions that the SFT model shall answer itself, for answers to reject. */
export const posePrompts = defineStep({
  name: 'pose-prompts',
  version: 1,
  summary: 'Choose the prompts that the SFT model answers itself',
  params: z.strictObject({ limit: z.int().positive().default(64) }),
  inputs: { train: rows('train-samples', InstructionSample) },
  outputs: { prompts: rows('rejection-prompts', PromptRow) },
  async run({ inputs, outputs, params, count }) {
    // The lowest ids are an arbitrary choice that stays the same while the samples do, and that new samples hardly move.
    const samples: PromptRow[] = [];
    for await (const { id, instruction } of inputs.train) samples.push({ id, instruction });
    samples.sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const prompt of samples.slice(0, params.limit)) await outputs.prompts.write(prompt);
    if (samples.length > params.limit) count('beyond-limit', samples.length - params.limit);
  },
});
