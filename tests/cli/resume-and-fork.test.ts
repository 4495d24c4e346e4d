import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import type { RunView } from '../../src/contracts/run-view.ts';
import { scratchProject, type Spoken } from '../support/scratch-project.ts';

/** Three steps: the first reads what stands outside, the second fails while a file `broken` is there, the third adds. */
const project: Readonly<Record<string, string>> = {
  'pipelines/index.ts': `export const pipelines = { sums: async () => (await import('./sums.ts')).sums };\n`,
  'pipelines/sums.ts': `
import { definePipeline } from '<twin>/src/engine/define.ts';
import { add, double, look } from '../steps/sums.ts';

export const sums = definePipeline({
  name: 'sums',
  summary: 'Look, double and add',
  build(pipeline) {
    pipeline.step(add, pipeline.step(double, pipeline.step(look, {})));
  },
});
`,
  'steps/sums.ts': `
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { json } from '<twin>/src/contracts/artifact.ts';
import { defineStep } from '<twin>/src/engine/define.ts';
import { twice } from '../twice.ts';

const number = json('number', z.int());
const outside = () => readFileSync('outside.txt', 'utf8').trim();

export const look = defineStep({
  name: 'look',
  version: 1,
  summary: 'Look outside',
  params: z.strictObject({}),
  inputs: {},
  outputs: { number },
  observe: async () => outside(),
  run: ({ outputs }) => outputs.number.write(Number(outside())),
});
export const double = defineStep({
  name: 'double',
  version: 1,
  summary: 'Double',
  params: z.strictObject({ times: z.int().default(1) }),
  inputs: { number },
  outputs: { number },
  async run({ inputs, outputs, params }) {
    if (existsSync('broken')) throw new TypeError('broken');
    await outputs.number.write(twice(inputs.number) * params.times);
  },
});
export const add = defineStep({
  name: 'add',
  version: 1,
  summary: 'Add',
  params: z.strictObject({ more: z.int().default(1) }),
  inputs: { number },
  outputs: { number },
  run: ({ inputs, outputs, params }) => outputs.number.write(inputs.number + params.more),
});
`,
  'twice.ts': 'export const twice = (number: number): number => number * 2;\n',
  'outside.txt': '10',
  broken: '',
};

const finished = (run: Spoken) => (run.lines() as readonly RunEvent[]).filter((event) => event.type === 'step-finished');
const outcomes = (run: Spoken) => Object.fromEntries(finished(run).map(({ step, outcome }) => [step, outcome]));
const made = (run: Spoken, step: string) => {
  const artifact = finished(run).find((event) => event.step === step)!.artifacts['number'];
  return artifact?.kind === 'json' ? artifact.inline : null;
};
const idOf = (run: Spoken): string => (run.lines().at(-1) as RunEvent & { type: 'run-finished' }).run;
const steady = ({ stdout, stderr, exit }: Spoken): string =>
  `${stdout}${stderr}exit ${exit}`.replaceAll(/\d{8}-\d{6}-[a-z0-9]{4}/g, '<run>');

describe('twin runs resume', { timeout: 120_000 }, () => {
  test('goes on with what the run saw and had, and refuses what has changed until it is told', async () => {
    const { twin, write, edit, remove } = await scratchProject(project);
    const failed = await twin('run', 'sums', '--set', 'add.more=5', '--json');
    expect(outcomes(failed)).toEqual({ look: 'succeeded', double: 'failed', add: 'cancelled' });
    await remove('broken');
    // Time has passed outside.
    await write('outside.txt', '99');

    await edit('twice.ts', 'number * 2', 'number + number');
    await edit(
      'steps/sums.ts',
      'default(1) }),\n  inputs: { number },\n  outputs: { number },\n  async',
      'default(3) }),\n  inputs: { number },\n  outputs: { number },\n  async',
    );
    expect(steady(await twin('runs', 'resume'))).toMatchInlineSnapshot(`
      "error: 3 steps are not as they were when run <run> began
        expected  the code, params, files and variables of that run
        found     look: code of steps/sums.ts, twice.ts changed
                  double: code of steps/sums.ts, twice.ts changed; times 1 → 3
                  add: code of steps/sums.ts, twice.ts changed
        → To go on with what is there now: twin runs resume <run> --allow-changes
      exit 2"
    `);
    await edit('twice.ts', 'number + number', 'number * 2');
    await edit('steps/sums.ts', 'default(3)', 'default(1)');

    const resumed = await twin('runs', 'resume', '--json');
    expect(outcomes(resumed)).toEqual({ look: 'cached', double: 'succeeded', add: 'succeeded' });
    expect(made(resumed, 'add')).toBe(25);
    const [view] = (await twin('runs', 'show', '--json')).lines() as unknown as readonly RunView[];
    expect(view!.origin).toBe(idOf(failed));
    expect(view!.setup!.set).toEqual(['add.more=5']);

    expect(steady(await twin('runs', 'resume'))).toMatchInlineSnapshot(`
      "error: Run <run> succeeded: nothing of it is left to do
        → To run it again: twin run sums
      exit 2"
    `);
    // A run of its own sees what is outside now.
    expect(made(await twin('run', 'sums', '--json'), 'look')).toBe(99);
  });

  test('with --allow-changes goes on with what is there now', async () => {
    const { twin, edit, remove } = await scratchProject(project);
    const failed = await twin('run', 'sums', '--json');
    await remove('broken');
    await edit('twice.ts', 'number * 2', 'number * 2 + 1');
    const resumed = await twin('runs', 'resume', idOf(failed), '--allow-changes', '--json');
    expect(made(resumed, 'double')).toBe(21);
    expect(resumed.exit).toBe(0);
  });
});

describe('twin runs fork', { timeout: 120_000 }, () => {
  test('begins at a step with what came before it in another run, and the params of that run', async () => {
    const { twin, write, remove } = await scratchProject(project);
    await remove('broken');
    const first = await twin('run', 'sums', '--set', 'double.times=3', '--json');
    expect(made(first, 'add')).toBe(61);
    await write('outside.txt', '99');
    const newer = await twin('run', 'sums', '--json');
    expect(made(newer, 'add')).toBe(199);

    const fork = await twin('runs', 'fork', 'add', '--from', idOf(first), '--set', 'add.more=7', '--json');
    expect(outcomes(fork)).toEqual({ look: 'skipped', double: 'skipped', add: 'succeeded' });
    expect(made(fork, 'add')).toBe(67);
    const again = await twin('runs', 'fork', 'double', '--from', idOf(first), '--json');
    expect(outcomes(again)).toEqual({ look: 'skipped', double: 'cached', add: 'cached' });
    expect(made(again, 'add')).toBe(61);
    const shown = await twin('runs', 'show', idOf(fork));
    expect(shown.stdout).toContain(`forks    run ${idOf(first)} at add`);
    expect(steady(await twin('runs', 'fork', 'ad', '--from', idOf(first)))).toMatchInlineSnapshot(`
      "error: Pipeline sums has no step ad
        → Did you mean add?
      exit 2"
    `);
  });
});
