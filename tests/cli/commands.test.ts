import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { showConfig } from '../../src/cli/commands/config.ts';
import { doctor } from '../../src/cli/commands/doctor.ts';
import { plan } from '../../src/cli/commands/plan.ts';
import { run } from '../../src/cli/commands/run.ts';
import { listRuns, showRun } from '../../src/cli/commands/runs.ts';
import { runLogs } from '../../src/cli/commands/run-logs.ts';
import { RunFinishedResult } from '../../src/contracts/results.ts';
import { said } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The outcome of each step of the last run, by address. */
function outcomes({ events }: Awaited<ReturnType<typeof said>>): Record<string, string> {
  return Object.fromEntries(events.flatMap((event) => (event.type === 'step-finished' ? [[event.step, event.outcome]] : [])));
}

describe('twin run', () => {
  test('tells every step and how it ended, and the second time takes all from the cache', async () => {
    const folder = await temporaryFolder();
    const first = await said({ folder }, (context) => run(context, {}, 'words-pipeline'));
    expect(`${first.stdout}exit ${first.exit}`).toMatchInlineSnapshot(`
      "words-pipeline: 3 steps (run <run>)
        succeeded  read-words <time>  4 words
        succeeded  measure-words <time>  4 rows computed, 1 dropped (too short)
        succeeded  sum-lengths <time>

      words-pipeline succeeded after <time>: 3 succeeded.
      → twin runs show <run>
      → report: <folder>/.twin/reports/<run>.html
      exit 0"
    `);
    const second = await said({ folder }, (context) => run(context, {}, 'words-pipeline'));
    expect(`${second.stdout}exit ${second.exit}`).toMatchInlineSnapshot(`
      "words-pipeline: 3 steps (run <run>)
        cached     read-words                 as before: 4 words
        cached     measure-words              as before: 4 rows computed, 1 dropped (too short)
        cached     sum-lengths

      words-pipeline succeeded after <time>: 3 cached.
      → twin runs show <run>
      → report: <folder>/.twin/reports/<run>.html
      exit 0"
    `);
  });

  test('ends its JSON with run-finished, in the shape that scripts rely on', async () => {
    const folder = await temporaryFolder();
    const { stdout } = await said({ folder, json: true }, (context) => run(context, {}, 'words-pipeline'));
    const last = RunFinishedResult.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1)!));
    expect(last).toMatchObject({
      pipeline: 'words-pipeline',
      status: 'succeeded',
      steps: { succeeded: 3, cached: 0, failed: 0, skipped: 0, cancelled: 0 },
    });
  });

  test('exits 3 when a gate refuses, and skips what needs its pass', async () => {
    const folder = await temporaryFolder();
    const { stdout, exit } = await said({ folder }, (context) => run(context, {}, 'gate-pipeline'));
    expect(`${stdout}exit ${exit}`).toMatchInlineSnapshot(`
      "gate-pipeline: 3 steps (run <run>)
        succeeded  read-words <time>  3 words
        succeeded  judge <time>
                   verdict of report: refuse
                     - 3 words are too few
        skipped    read-more               a gate or check refused what it needs

      gate-pipeline was refused (3 words are too few) after <time>: 2 succeeded, 1 skipped.
      → twin runs show <run>, twin runs logs <run>
      → report: <folder>/.twin/reports/<run>.html
      exit 3"
    `);
  });

  test('shows an undecided verdict and succeeds, unless the gate is strict', async () => {
    const folder = await temporaryFolder();
    const set = ['judge.verdict=undecided'];
    expect((await said({ folder }, (context) => run(context, { set }, 'gate-pipeline'))).exit).toBe(0);
    expect((await said({ folder }, (context) => run(context, { set, gate: 'strict' }, 'gate-pipeline'))).exit).toBe(3);
  });

  test('exits 1 when a step fails, and what needs it is cancelled', async () => {
    const folder = await temporaryFolder();
    const failed = await said({ folder }, (context) => run(context, { set: ['read-words.failing=true'] }, 'words-pipeline'));
    expect(failed.exit).toBe(1);
    expect(outcomes(failed)).toEqual({ 'read-words': 'failed', 'measure-words': 'cancelled', 'sum-lengths': 'cancelled' });
  });

  test('counts rejected input and exits 0, or 3 with --strict', async () => {
    const folder = await temporaryFolder();
    const set = ['read-words.rejected=2'];
    expect((await said({ folder }, (context) => run(context, { set }, 'words-pipeline'))).exit).toBe(0);
    const strict = await said({ folder, json: true }, (context) => run(context, { set, strict: true }, 'words-pipeline'));
    expect(strict.exit).toBe(3);
    const lines = strict.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines.slice(-2)).toMatchObject([
      { type: 'error', reason: 'input-rejected', message: '2 pieces of the input were rejected, and --strict allows none' },
      { type: 'run-finished' },
    ]);
  });

  test('runs again what it is told to, and leaves out what it is told to', async () => {
    const folder = await temporaryFolder();
    await said({ folder }, (context) => run(context, {}, 'words-pipeline'));
    const forced = await said({ folder }, (context) => run(context, { force: ['sum-lengths'] }, 'words-pipeline'));
    expect(outcomes(forced)).toEqual({ 'read-words': 'cached', 'measure-words': 'cached', 'sum-lengths': 'succeeded' });
    const sliced = await said({ folder }, (context) => run(context, { to: 'read-words' }, 'words-pipeline'));
    expect(outcomes(sliced)).toEqual({ 'read-words': 'cached', 'measure-words': 'skipped', 'sum-lengths': 'skipped' });
  });

  test('gives a used pipeline the parameters of its own file, under its prefix', async () => {
    const folder = await temporaryFolder();
    const { events } = await said({ folder }, (context) => run(context, {}, 'everything'));
    const counts = Object.fromEntries(
      events.flatMap((event) => (event.type === 'step-finished' ? [[event.step, event.counts['words']]] : [])),
    );
    expect(counts).toMatchObject({ 'words.read-words': 4, 'gate-pipeline.read-words': 3 });
  });

  test('leaves a summary for GitHub where one is asked for', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'summary.md');
    await said({ folder, environment: { GITHUB_STEP_SUMMARY: file } }, (context) => run(context, {}, 'gate-pipeline'));
    const summary = (await readFile(file, 'utf8'))
      .replaceAll(folder, '<folder>')
      .replaceAll(/\d+\.\d s/g, '<time>')
      .replaceAll(/\d{8}-\d{6}-[a-z0-9]{4}/g, '<run>');
    expect(summary).toMatchInlineSnapshot(`
      "### ⛔ gate-pipeline refused (3 words are too few) after <time>

      2 succeeded, 1 skipped. Run \`<run>\`, report \`<folder>/.twin/reports/<run>.html\`.

      | step | outcome | took | |
      | --- | --- | ---: | --- |
      | read-words | succeeded | <time> | 3 words |
      | judge | succeeded | <time> |  |
      | read-more | skipped |  | a gate or check refused what it needs |

      verdict of report: refuse

      - 3 words are too few

      "
    `);
  });

  test('stops when it is told to, and the run is cancelled', async () => {
    const folder = await temporaryFolder();
    const controller = new AbortController();
    (globalThis as unknown as Record<symbol, unknown>)[Symbol.for('twin.test.hold')] = {
      holding: () => controller.abort(),
      letGo: new Promise(() => {}),
    };
    const stopped = await said({ folder, signal: controller.signal }, (context) => run(context, {}, 'hold-pipeline'));
    expect(outcomes(stopped)).toEqual({ 'hold-target': 'cancelled' });
    expect(stopped.stdout).toContain('hold-pipeline was cancelled after');
  });
});

describe('before and after a run', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'twin-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('twin plan says what would run and why, and makes no state but a cache', async () => {
    const before = await said({ folder }, (context) => plan(context, {}, 'words-pipeline'));
    expect(before.stdout).toMatchInlineSnapshot(`
      "words-pipeline: 3 steps, 1 to run, 2 not known yet
        run      read-words     never ran before
        ?        measure-words  unknown until read-words
        ?        sum-lengths    unknown until read-words
      → twin run words-pipeline
      "
    `);
    expect(existsSync(join(folder, '.twin/state.db'))).toBe(false);
    await said({ folder }, (context) => run(context, {}, 'words-pipeline'));
    const after = await said({ folder }, (context) => plan(context, { set: ['measure-words.shortest=3'] }, 'words-pipeline'));
    expect(after.stdout).toMatchInlineSnapshot(`
      "words-pipeline: 3 steps, 1 cached, 1 to run, 1 not known yet
        cached   read-words     made by run <run>
        run      measure-words  shortest 2 → 3 (since run <run>); 4 of 4 rows to compute
        ?        sum-lengths    unknown until measure-words
      → twin run words-pipeline
      "
    `);
    expect(
      await said({ folder }, (context) => run(context, { dryRun: true, set: ['measure-words.shortest=3'] }, 'words-pipeline')),
    ).toMatchObject({ stdout: after.stdout, exit: 0 });
  });

  test('twin runs list, show and logs tell it again', async () => {
    expect((await said({ folder }, (context) => listRuns(context, { limit: '20' }))).stdout).toMatchInlineSnapshot(`
      "RUN                   PIPELINE        STATUS     STARTED           TOOK   STEPS
      <run>  words-pipeline  succeeded  <moment> <time>  3 succeeded
      "
    `);
    expect((await said({ folder }, (context) => showRun(context, {}))).stdout).toMatchInlineSnapshot(`
      "words-pipeline: succeeded after <time>
        run      <run>
        started  <moment>, profile embedded, by twin run test (pid <pid> on <host>)
        steps    3 succeeded

        succeeded  read-words <time>  4 words
        succeeded  measure-words <time>  4 rows computed, 1 dropped (too short)
        succeeded  sum-lengths <time>
      "
    `);
    expect((await said({ folder }, (context) => runLogs(context, { step: 'read-words' }))).stdout).toMatchInlineSnapshot(`
      "<clock>   succeeded  read-words <time>  4 words
      "
    `);
    const unknown = await said({ folder }, (context) => showRun(context, {}, 'nope'));
    expect(`${unknown.stderr}exit ${unknown.exit}`).toMatchInlineSnapshot(`
      "error: There is no run nope
        found     nope
        → twin runs list shows the ids
      exit 2"
    `);
  });

  test('twin config show --origin names the file and line, the variable or the flag of each value', async () => {
    const environment = { TWIN_TENANT: 'mill', TWIN_SET__measure_words__shortest: '1' };
    const shown = await said({ folder, environment }, (context) =>
      showConfig(context, { origin: true, set: ['sum-lengths.alias=best'] }, 'words-pipeline'),
    );
    expect(shown.stdout).toMatchInlineSnapshot(`
      "KEY                                       VALUE       FROM
      state                                     .twin       default
      tenant                                    mill        environment TWIN_TENANT
      index                                     documents   default
      metadataStore.kind                        sqlite      default
      documentStore.kind                        sqlite      default
      artifactStore.kind                        folder      default
      workQueue.kind                            in-process  default
      embedder.kind                             python      default
      vectorIndex.kind                          sqlite      default
      chatModel.kind                            none        default
      jobLauncher.kind                          local       default
      jobLauncher.secrets                       []          default
      jobLauncher.start                         spawn       default
      jobLauncher.leaseMinutes                  15          default
      jobLauncher.deadlines.heartbeatSeconds    60          default
      jobLauncher.deadlines.stepFactor          10          default
      jobLauncher.deadlines.stepMinimumSeconds  120         default
      jobLauncher.deadlines.graceSeconds        30          default
      jobLauncher.gpus                          1           default
      jobLauncher.pricePerHour                  null        default
      modelHub.kind                             none        default
      reranker                                  off         default
      promotion.alias                           champion    default
      params.read-words.count                   4           pipeline configs/pipelines/words-pipeline.yaml:3
      params.read-words.rejected                0           default
      params.read-words.tenant                  mill        key tenant (TWIN_TENANT)
      params.read-words.failing                 false       default
      params.measure-words.shortest             1           environment TWIN_SET__measure_words__shortest
      params.sum-lengths.alias                  best        flag --set sum-lengths.alias=best
      "
    `);
  });

  test('twin doctor finds all that is wrong at once, each with its place and fix', async () => {
    const environment = { TWIN_PYTHON: '/nowhere/python3', XDG_CACHE_HOME: join(folder, 'cache'), TWIN_SET__read_words__cuont: '1' };
    const shown = await said({ folder, environment }, (context) => doctor(context));
    expect(shown.exit).toBe(2);
    const steady = shown.stdout.replaceAll(/v\d+\.\d+\.\d+ on \S+/g, '<version>').replaceAll(/\d+\.\d GB/g, '<size>');
    expect(steady).toMatchInlineSnapshot(`
      "ok       Node              <version>
      problem  configuration     read-words has no parameter cuont (expected count, rejected, tenant, failing, found cuont)
                                 at TWIN_SET__read_words__cuont
                                 → Did you mean read-words.count?
      ok       state             <folder>/.twin
      ok       disk space        <size> free for <folder>/.twin
      ok       chat model        none configured: ask shows passages
      problem  Python            TWIN_PYTHON names /nowhere/python3, which is no Python that twin can use (expected Python 3.10 or newer, found /nowhere/python3 does not run)
                                 → Install Python 3.10 or newer (\`apt-get install python3\`, \`brew install python\`), or name one: TWIN_PYTHON=/path/to/python3
      ok       space for Python  <size> free for <folder>/cache/twin

      2 problems in the way of a run.
      "
    `);
  });
});
