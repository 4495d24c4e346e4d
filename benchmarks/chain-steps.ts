import { z } from 'zod';
import { json } from '../src/contracts/artifact.ts';
import { defineStep } from '../src/engine/define.ts';

const At = json('at', z.int());

/** The first link of a chain. */
export const first = defineStep({
  name: 'first',
  version: 1,
  summary: 'Begin at nothing',
  params: z.strictObject({}),
  inputs: {},
  outputs: { at: At },
  async run({ outputs }) {
    await outputs.at.write(0);
  },
});

/** A link of a chain: adds one. */
export const next = defineStep({
  name: 'next',
  version: 1,
  summary: 'Add one',
  params: z.strictObject({}),
  inputs: { at: At },
  outputs: { at: At },
  async run({ inputs, outputs }) {
    await outputs.at.write(inputs.at + 1);
  },
});
