import { mkdir, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask } from '../../src/cli/commands/ask.ts';
import { doctor } from '../../src/cli/commands/doctor.ts';
import { listRuns } from '../../src/cli/commands/runs.ts';
import { run } from '../../src/cli/commands/run.ts';
import { fixtureProject, said } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function configured(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, 'configs', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return folder;
}

/** What a user reads of a command that cannot do what it should, and its exit code. */
async function refusal(...[surroundings, command]: Parameters<typeof said>): Promise<string> {
  const { stderr, exit } = await said(surroundings, command);
  return `${stderr}exit ${exit}`;
}

describe('one clear message and exit code 2 for', () => {
  test('a pipeline that is not there', async () => {
    const folder = await temporaryFolder();
    expect(await refusal({ folder }, (context) => run(context, {}, 'word-pipeline'))).toMatchInlineSnapshot(`
      "error: There is no pipeline word-pipeline
        → Did you mean words-pipeline?
      exit 2"
    `);
    expect(await refusal({ folder }, (context) => run(context, {}, 'zzz'))).toMatchInlineSnapshot(`
      "error: There is no pipeline zzz
        → The pipelines are: everything, gate-pipeline, hold-pipeline, leak-pipeline, words-pipeline.
      exit 2"
    `);
  });

  test('a step that is not there', async () => {
    const folder = await temporaryFolder();
    const flags = { from: 'read-word', force: ['sum-length'] };
    expect(await refusal({ folder }, (context) => run(context, flags, 'words-pipeline'))).toMatchInlineSnapshot(`
      "error: Pipeline words-pipeline has no step sum-length
        at        --force
        found     sum-length
        → Did you mean sum-lengths?

      error: Pipeline words-pipeline has no step read-word
        at        --from
        found     read-word
        → Did you mean read-words?

      2 problems; nothing was changed.
      exit 2"
    `);
  });

  test('a parameter that is not there, or has a wrong value', async () => {
    const folder = await configured({ 'local.yaml': 'params:\n  words-pipeline:\n    read-words:\n      count: many\n      cuont: 3\n' });
    const flags = { set: ['read-wrods.count=2', 'measure-words.shortest=0'] };
    expect(await refusal({ folder }, (context) => run(context, flags, 'words-pipeline'))).toMatchInlineSnapshot(`
      "error: No step of this pipeline has a parameter read-wrods.count
        at        --set read-wrods.count=2
        expected  <step>.<parameter>
        found     read-wrods.count
        → Did you mean read-words.count?

      error: read-words.count is not what the step takes
        at        configs/local.yaml:4
        expected  a number
        found     "many"

      error: read-words has no parameter cuont
        at        configs/local.yaml:5
        expected  count, rejected, tenant, failing
        found     cuont
        → Did you mean read-words.count?

      error: measure-words.shortest is not what the step takes
        at        --set measure-words.shortest=0
        expected  more than 0
        found     0

      4 problems; nothing was changed.
      exit 2"
    `);
  });

  test('an unknown key and a wrong type in YAML, with the line of each', async () => {
    const folder = await configured({ 'local.yaml': 'tenat: x\npromotion:\n  alias: [1]\n' });
    expect(await refusal({ folder }, (context) => run(context, {}, 'words-pipeline'))).toMatchInlineSnapshot(`
      "error: promotion.alias has a wrong value
        at        configs/local.yaml:3
        expected  text that is not empty
        found     a list of 1

      error: Unknown key tenat
        at        configs/local.yaml:1
        → Did you mean tenant?

      2 problems; nothing was changed.
      exit 2"
    `);
  });

  test('the server profile', async () => {
    const folder = await temporaryFolder();
    expect(await refusal({ folder, profile: 'server' }, (context) => run(context, {}, 'words-pipeline'))).toMatchInlineSnapshot(`
      "error: Profile server is not part of this version of twin
        → The profiles are: embedded.
      exit 2"
    `);
  });

  test('a flag with a wrong value', async () => {
    const folder = await temporaryFolder();
    expect(await refusal({ folder }, (context) => run(context, { gate: 'lax' }, 'words-pipeline'))).toMatchInlineSnapshot(`
      "error: --gate has a wrong value
        expected  strict
        found     lax
        → Leave it out for the default: a verdict of fail or undecided is shown, and the run succeeds.
      exit 2"
    `);
    expect(await refusal({ folder }, (context) => listRuns(context, { limit: 'all' }))).toMatchInlineSnapshot(`
      "error: --limit has a wrong value
        expected  a whole number greater than 0
        found     all
        → For example: --limit 5
      exit 2"
    `);
  });

  test('no Python, before the first step', async () => {
    const folder = await temporaryFolder();
    const environment = { TWIN_PYTHON: '/nowhere/python3', XDG_CACHE_HOME: join(folder, 'cache') };
    const project = join(fixtureProject, '../../..');
    expect(await refusal({ folder, project, environment }, (context) => run(context, {}, 'feature-pipeline'))).toMatchInlineSnapshot(`
      "error: TWIN_PYTHON names /nowhere/python3, which is no Python that twin can use.
        expected  Python 3.10 or newer
        found     /nowhere/python3 does not run
        → Install Python 3.10 or newer (\`apt-get install python3\`, \`brew install python\`), or name one: TWIN_PYTHON=/path/to/python3
      exit 2"
    `);
  });

  test('state that a newer twin wrote', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, '.twin'));
    const database = new DatabaseSync(join(folder, '.twin/state.db'));
    database.exec('CREATE TABLE later (x); PRAGMA user_version = 99');
    database.close();
    expect(await refusal({ folder }, (context) => listRuns(context, { limit: '20' }))).toMatchInlineSnapshot(`
      "error: The journal in <folder>/.twin/state.db was written by a newer twin
        at        <folder>/.twin/state.db
        expected  schema version 1 or lower
        found     schema version 99
        → Install the newer twin, or set TWIN_STATE to another folder. Nothing was changed.
      exit 2"
    `);
    expect((await said({ folder }, (context) => run(context, {}, 'words-pipeline'))).exit).toBe(2);
    expect((await said({ folder }, (context) => doctor(context))).stdout).toContain('was written by a newer twin');
  });

  test('a secret that is named and not there', async () => {
    const folder = await configured({
      'local.yaml': 'chatModel: {kind: openai-compatible, url: "http://localhost:1/v1", model: m, apiKey: {env: MY_KEY}}\n',
    });
    expect(await refusal({ folder }, (context) => run(context, {}, 'words-pipeline'))).toMatchInlineSnapshot(`
      "error: chatModel.apiKey is to be found in the environment variable MY_KEY
        at        chatModel.apiKey.env
        found     it is not set
        → Set it: export MY_KEY=…
      exit 2"
    `);
  });
});

test('two runs at once: the second waits and names the holder, or with --no-wait is refused with exit code 1', async () => {
  const folder = await temporaryFolder();
  const letGo = Promise.withResolvers<void>();
  const holding = Promise.withResolvers<void>();
  const key = Symbol.for('twin.test.hold');
  (globalThis as unknown as Record<symbol, unknown>)[key] = { holding: holding.resolve, letGo: letGo.promise };
  const first = said({ folder }, (context) => run(context, {}, 'hold-pipeline'));
  await holding.promise;
  const refused = await said({ folder }, (context) => run(context, { wait: false }, 'hold-pipeline'));
  expect(`${refused.stdout}exit ${refused.exit}`).toMatchInlineSnapshot(`
    "hold-pipeline: 1 step (run <run>)
      failed     hold-target <time>
                 error: the-target is held by twin run test (process <pid> on <host>) for <time>
                   at        effect/the-target
                   → Run without --no-wait to wait for it

    hold-pipeline failed after <time>: 1 failed.
    → twin runs show <run>, twin runs logs <run>
    → report: <folder>/.twin/reports/<run>.html
    exit 1"
  `);
  const waiting = Promise.withResolvers<void>();
  const second = said({ folder, onEvent: (event) => event.type === 'waiting' && waiting.resolve() }, (context) =>
    run(context, {}, 'hold-pipeline'),
  );
  await waiting.promise;
  letGo.resolve();
  expect((await first).exit).toBe(0);
  const { stdout, exit } = await second;
  expect(`${stdout}exit ${exit}`).toMatchInlineSnapshot(`
    "hold-pipeline: 1 step (run <run>)
    waiting for the-target, held by twin run test (pid <pid> on <host>) for <time>
      cached     hold-target

    hold-pipeline succeeded after <time>: 1 cached.
    → twin runs show <run>
    → report: <folder>/.twin/reports/<run>.html
    exit 0"
  `);
});

test('a question before there is an index says how to get one', async () => {
  const folder = await configured({ 'local.yaml': 'embedder: {kind: fake}\n' });
  expect(await refusal({ folder }, (context) => ask(context, { passages: '5' }, 'what?'))).toMatchInlineSnapshot(`
    "error: There is no index 'documents' yet
      expected  an index that a feature pipeline has filled
      found     no generation under that name
      → Fill it with: twin run feature-pipeline
    exit 1"
  `);
});
