import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import { digestOf } from '../../src/contracts/digest.ts';
import { IndexState, noIndex } from '../../src/contracts/index-state.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { defineStep } from '../../src/engine/define.ts';
import { readIndexState } from '../../src/index-sync/read-index-state.ts';

/** Finds the index that readers use, and what it holds. */
export const resolveIndex = defineStep({
  name: 'resolve-index',
  version: 1,
  summary: 'Find the index and what it holds',
  params: z.strictObject({ index: z.string().default('documents') }),
  inputs: {},
  outputs: { index: json('index-state', IndexState) },
  needs: ['metadataStore', 'vectorIndex'],
  async observe({ params, ports }) {
    return digestOf(await readIndexState(params.index, ports));
  },
  async run({ params, ports, outputs }) {
    const state = await readIndexState(params.index, ports);
    if (state === null) throw new ProblemError(noIndex(params.index));
    await outputs.index.write(state);
  },
});
