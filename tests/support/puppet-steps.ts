import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { defineMapStep, definePipeline, defineStep } from '../../src/engine/define.ts';

const numbers = rows('numbers', z.strictObject({ number: z.int() }));

/** The journal gathers records for a moment: what a kill within it takes along is another test's matter. */
const gatheredMs = 200;

/** Says where it stands and goes no further, where the environment names the place; a line on standard input lets it go on. */
async function holdAt(place: string): Promise<void> {
  if (process.env['PUPPET_HOLD'] !== place) return;
  await delay(gatheredMs);
  process.stdout.write(`held at ${place}\n`);
  await new Promise((resolve) => process.stdin.once('data', resolve));
  process.stdin.destroy();
}

const read = defineStep({
  name: 'read',
  version: 1,
  summary: 'Read numbers',
  params: z.strictObject({ count: z.int().default(200) }),
  inputs: {},
  outputs: { numbers },
  async run({ outputs, params }) {
    for (let number = 1; number <= params.count; number++) await outputs.numbers.write({ number });
  },
});
const double = defineMapStep({
  name: 'double',
  version: 1,
  summary: 'Double numbers',
  params: z.strictObject({}),
  input: numbers,
  output: numbers,
  async run({ row }) {
    await holdAt(`row ${row.number}`);
    return { number: row.number * 2 };
  },
});
const apply = defineStep({
  name: 'apply',
  version: 1,
  summary: 'Apply numbers',
  params: z.strictObject({}),
  inputs: { numbers },
  outputs: { sum: json('sum', z.int()) },
  effect: () => 'ledger',
  observe: async () => 'as it was',
  async run({ inputs, outputs }) {
    let sum = 0;
    for await (const row of inputs.numbers) sum += row.number;
    await holdAt('effect');
    await outputs.sum.write(sum);
  },
});

/** Reads, doubles and applies; each may be held. */
export const puppetPipeline = definePipeline({
  name: 'puppet',
  summary: 'Puppet',
  build: (builder) => builder.step(apply, { numbers: builder.step(double, builder.step(read, {}).numbers) }),
});
