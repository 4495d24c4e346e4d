import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { json, rows, verdict } from '../../../src/contracts/artifact.ts';
import { EchoParams } from '../../../src/contracts/jobs.ts';
import { defineJobStep, defineMapStep, definePipeline, defineStep } from '../../../src/engine/define.ts';

/** Passes a point in the middle of a step's work; set before the pipeline runs. */
export const middle: { reach: (point: string) => void } = { reach: () => undefined };

/** Notes of effects: one object a line. */
export interface EffectNote {
  readonly effect: string;
  readonly key: string;
  readonly phase: 'begun' | 'done';
  readonly run: string;
}

/** Where effects note what they do. */
export const effectLog = (folder: string): string => join(folder, 'effects.jsonl');

const numbers = rows('numbers', z.strictObject({ text: z.string() }));
const total = json('total', z.int());
const state = json('state', z.string());
const none = z.strictObject({});

const read = defineStep({
  name: 'read',
  version: 1,
  summary: 'Read numbers',
  params: z.strictObject({ count: z.int().positive().default(20) }),
  inputs: {},
  outputs: { numbers },
  async run({ outputs, params }) {
    for (let number = 1; number <= params.count; number++) {
      await outputs.numbers.write({ text: String(number) });
      if (number === 10) middle.reach('read writes row 10');
    }
  },
});
const double = defineMapStep({
  name: 'double',
  version: 1,
  summary: 'Double numbers',
  params: none,
  input: numbers,
  output: numbers,
  run({ row }) {
    if (row.text === '12') middle.reach('double maps row 12');
    return { text: String(Number(row.text) * 2) };
  },
});
const sum = defineStep({
  name: 'sum',
  version: 1,
  summary: 'Sum numbers',
  params: none,
  inputs: { numbers },
  outputs: { total },
  async run({ inputs, outputs }) {
    let result = 0;
    for await (const row of inputs.numbers) result += Number(row.text);
    await outputs.total.write(result);
  },
});
const judge = defineStep({
  name: 'judge',
  version: 1,
  summary: 'Judge the total',
  params: none,
  inputs: { total },
  outputs: { decision: verdict('decision', z.strictObject({ verdict: z.enum(['pass', 'refuse']), reasons: z.array(z.string()) })) },
  run: ({ inputs, outputs }) => outputs.decision.write({ verdict: inputs.total > 0 ? 'pass' : 'refuse', reasons: [] }),
});
const train = defineJobStep({
  name: 'train',
  version: 1,
  summary: 'Repeat numbers in a job',
  job: 'echo',
  params: EchoParams.extend({ secondsPerStep: z.number().default(0.03) }),
  inputs: { rows: numbers },
  outputs: { rows: numbers },
});

/** An effect whose target is a file: what it makes is written by rename, so that doing it again is harmless, and each time is noted. */
const changeFile = (name: string, input: typeof total | typeof state) =>
  defineStep({
    name,
    version: 1,
    summary: `Change the ${name} file`,
    // The folder where effects leave what they made, and a log of when.
    params: z.strictObject({ world: z.string() }),
    inputs: { input },
    outputs: { state },
    effect: () => `file ${name}`,
    observe: async ({ params }) => readFile(join(params.world, name), 'utf8').catch(() => 'absent'),
    async run({ inputDigests, outputs, params, run }) {
      const note = (phase: EffectNote['phase']) =>
        appendFile(
          effectLog(params.world),
          `${JSON.stringify({ effect: name, key: inputDigests.input, phase, run } satisfies EffectNote)}\n`,
        );
      await note('begun');
      middle.reach(`${name} has begun`);
      const file = join(params.world, name);
      await writeFile(`${file}.new`, inputDigests.input);
      await rename(`${file}.new`, file);
      middle.reach(`${name} has changed its target`);
      await note('done');
      await outputs.state.write(`${name} ${inputDigests.input}`);
    },
  });
const index = changeFile('index', total);
const alias = changeFile('alias', state);

/** Every kind of step: pure, map, job, effect, gate, and conditions of both outcomes. */
export const crashPipeline = definePipeline({
  name: 'crash',
  summary: 'Crash',
  build(builder) {
    const doubled = builder.step(double, builder.step(read, {}).numbers);
    const trained = builder.step(train, { rows: doubled });
    const summed = builder.step(sum, { numbers: trained.rows });
    const judged = builder.step(judge, { total: summed.total });
    const indexed = builder.step(index, { input: summed.total }, { after: [judged.decision] });
    builder.step(alias, { input: indexed.state }, { when: [summed.total, (value) => value > 0] });
    builder.step(sum, { numbers: doubled }, { as: 'never', when: [summed.total, (value) => value < 0] });
  },
});
