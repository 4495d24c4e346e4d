import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { InstructionSample, PreferencePair } from '../../src/contracts/dataset.ts';
import { AnswerRow } from '../../src/contracts/jobs.ts';
import { distinctPairs, pairOf } from '../../src/datasets/pairs.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Pairs the author's answers, to prefer, with the model's own, to avoid. */
export const buildPreferencePairs = defineStep({
  name: 'build-preference-pairs',
  version: 1,
  summary: 'Pair the author’s answers with rejected ones of about the same length',
  params: z.strictObject({
    /** Least length of either answer, in characters. */
    minimumCharacters: z.int().positive().default(40),
    /** Similarity of three-word runs from which on two answers are too much alike to prefer one. */
    maximumSimilarity: z.number().gt(0).max(1).default(0.7),
    /** The most by which one answer may be longer than the other, as a share of the shorter. */
    lengthTolerance: z.number().nonnegative().default(0.1),
  }),
  inputs: { train: rows('train-samples', InstructionSample), answers: rows('rejected-answers', AnswerRow) },
  outputs: { pairs: rows('preference-pairs', PreferencePair) },
  async run({ inputs, outputs, params, count }) {
    const answers = new Map<string, string>();
    for await (const { id, answer } of inputs.answers) answers.set(id, answer);
    const pairs = new Map<string, PreferencePair>();
    for await (const sample of inputs.train) {
      if (!answers.has(sample.id)) continue;
      const pair = pairOf(sample, answers.get(sample.id), params);
      if (typeof pair === 'string') count(pair);
      else pairs.set(pair.id, pair);
    }
    const { kept, dropped } = await distinctPairs([...pairs.values()]);
    for (const [reason, amount] of Object.entries(dropped)) count(reason, amount);
    for (const pair of kept) await outputs.pairs.write(pair);
  },
});
