import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import type { SweepPlanned, SweepVariant } from '../../src/contracts/sweep.ts';
import { echoProject } from '../support/echo-project.ts';
import { builtEnvironment, skipWithout } from '../support/python.ts';
import { scratchProject, type Spoken } from '../support/scratch-project.ts';
import { startTwin } from '../support/twin-process.ts';

const cache = { XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache') };
const project = () => scratchProject(echoProject, cache);
const sweep = (...values: readonly string[]) => ['run', 'echo-pipeline', ...values.flatMap((value) => ['--sweep', value])];

/** Rows are repeated without the libraries that a warm parent imports. */
const spawned = ['--set', 'jobLauncher.kind=local', '--set', 'jobLauncher.start=spawn'];

type Line = SweepPlanned | SweepVariant | RunEvent;
const ofType = <Type extends Line['type']>(spoken: Spoken, type: Type): readonly Extract<Line, { type: Type }>[] =>
  (spoken.lines() as readonly Line[]).filter((line): line is Extract<Line, { type: Type }> => line.type === type);
const variants = (spoken: Spoken) => ofType(spoken, 'sweep-variant');
/** How a step ended in each run of a sweep. */
const outcomes = (spoken: Spoken, address: string) =>
  ofType(spoken, 'step-finished').flatMap(({ step, outcome }) => (step === address ? [outcome] : []));

describe('what a sweep refuses before it begins', () => {
  test.each([
    [
      'a parameter that the step does not have',
      sweep('repeat-rows.step=2,3'),
      `error: repeat-rows has no parameter step
  at        --sweep repeat-rows.step=2,3
  expected  steps, secondsPerStep, exitCode, fault, faultStep, faultBytes
  found     step
  → Did you mean repeat-rows.steps?`,
    ],
    [
      'a value of another type',
      sweep('repeat-rows.steps=2,many'),
      `error: repeat-rows.steps is not what the step takes
  at        --sweep repeat-rows.steps=2,many
  expected  a number
  found     "many"`,
    ],
    [
      'an empty list',
      sweep('repeat-rows.steps='),
      `error: --sweep repeat-rows.steps= names no values
  at        --sweep repeat-rows.steps=
  expected  --sweep <address>=<value>,<value>
  → For example: --sweep train-sft.learningRate=1e-4,3e-4`,
    ],
    [
      'one value written in two ways',
      sweep('repeat-rows.secondsPerStep=0.001,1e-3'),
      `error: --sweep gives repeat-rows.secondsPerStep the value 1e-3 twice
  at        --sweep repeat-rows.secondsPerStep=0.001,1e-3
  expected  --sweep <address>=<value>,<value>
  → For example: --sweep train-sft.learningRate=1e-4,3e-4`,
    ],
    [
      'more variants than there may be',
      sweep(
        `repeat-rows.steps=${Array.from({ length: 20 }, (_, index) => index + 1).join(',')}`,
        `repeat-rows.faultStep=${Array.from({ length: 20 }, (_, index) => index + 1).join(',')}`,
      ),
      'The sweep has 400 variants',
    ],
  ])('%s', async (_, line, words) => {
    const { twin } = await project();
    const { stderr, exit } = await twin(...line);
    expect(stderr).toContain(words);
    expect(exit).toBe(2);
  });
});

describe.skipIf(builtEnvironment() === null)('twin run --sweep', { timeout: 120_000 }, () => {
  test('runs every combination once, shares what comes before, and compares the jobs', async () => {
    const { twin } = await project();
    const first = await twin(...sweep('repeat-rows.steps=2,3,4'), '--json');
    expect(first.exit).toBe(0);
    expect(ofType(first, 'sweep-planned')[0]).toMatchObject({ variants: 3, steps: { shared: 1, each: 2 }, unmeasured: 3 });
    expect(outcomes(first, 'read-rows')).toEqual(['succeeded', 'cached', 'cached']);
    expect(variants(first).map(({ values, status, job }) => [values['repeat-rows.steps'], status, job?.metrics['echo']])).toEqual([
      [2, 'succeeded', 2],
      [3, 'succeeded', 3],
      [4, 'succeeded', 4],
    ]);
    const { report, variants: count } = first.lines().at(-1) as unknown as { readonly report: string; readonly variants: number };
    expect(count).toBe(3);
    const page = await readFile(report, 'utf8');
    for (const { run, job } of variants(first))
      expect([page.includes(`${run}.html`), page.includes(job!.job.slice(0, 12))]).toEqual([true, true]);

    const shown = await twin('runs', 'show', variants(first)[1]!.run!);
    expect(shown.stdout).toMatch(/variant  2 of 3 of sweep-\S+: repeat-rows\.steps=3\n/);
    const kept = await twin('gc', '--dry-run');
    expect(kept.stdout).not.toContain('sweep-');

    const jobs = variants(first).map(({ job }) => job!.job);
    const compared = await twin('jobs', 'compare', ...jobs);
    expect(compared.stdout).toMatch(/steps +2 +3 +4/);
    const { sweep: id } = ofType(first, 'sweep-planned')[0]!;
    expect((await twin('jobs', 'compare', id)).stdout).toBe(compared.stdout);
    expect((await twin('jobs', 'compare', `${id}x`)).stderr).toContain(`There are no jobs of ${id}x`);

    const again = await twin(...sweep('repeat-rows.steps=2,3,4,5'), '--json');
    expect(outcomes(again, 'repeat-rows')).toEqual(['cached', 'cached', 'cached', 'succeeded']);
  });

  test('goes on behind a variant that failed, and ends with its exit code', async () => {
    const { twin } = await project();
    const { stdout, exit } = await twin(...sweep('repeat-rows.exitCode=0,10', 'repeat-rows.steps=1,2'), ...spawned);
    expect(exit).toBe(1);
    expect(stdout).toContain('2 of 4 variants succeeded');
    expect(stdout).toMatch(/variant 3: .*echo/);
  });

  test('ends where the run of a variant is cancelled from another terminal', async () => {
    const { folder, twin } = await project();
    const line = [...sweep('repeat-rows.steps=500,501'), '--set', 'repeat-rows.secondsPerStep=0.05', ...spawned, '--json'];
    const running = startTwin(line, folder, { ...cache, TWIN_STATE: join(folder, '.twin') });
    await running.says('"job-launched"');
    expect((await twin('runs', 'cancel', /"run":"([^"]+)"/.exec(running.text())![1]!)).exit).toBe(0);
    expect(await running.ended).toBe(1);
    const told = running
      .text()
      .split('\n')
      .filter((text) => text.startsWith('{'));
    const ends = told.map((text) => JSON.parse(text) as Line);
    expect(ends.flatMap((one) => (one.type === 'sweep-variant' ? [one.status] : []))).toEqual(['cancelled', 'not-run']);
  });

  test('killed with -9, finds what was done and follows the job that runs', async () => {
    const { folder, twin } = await project();
    const line = [...sweep('repeat-rows.secondsPerStep=0.01,0.5'), ...spawned];
    const killed = startTwin([...line, '--set', 'repeat-rows.steps=8', '--json'], folder, { ...cache, TWIN_STATE: join(folder, '.twin') });
    await killed.says(/"job-launched"[^]*"job-launched"/);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const second = await twin(...line, '--set', 'repeat-rows.steps=8', '--json');
    expect(outcomes(second, 'repeat-rows')).toEqual(['cached', 'succeeded']);
    expect(ofType(second, 'job-launched').map(({ how }) => how)).toEqual(['adopted']);
  });
});
if (builtEnvironment() === null) skipWithout('the Python environment');
