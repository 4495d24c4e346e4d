import { mkdir, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { collect } from '../../src/cli/commands/collect.ts';
import { doctor } from '../../src/cli/commands/doctor.ts';
import { plan } from '../../src/cli/commands/plan.ts';
import { showRun } from '../../src/cli/commands/runs.ts';
import { runLogs } from '../../src/cli/commands/run-logs.ts';
import { jobLogs } from '../../src/cli/commands/jobs.ts';
import { showDataset } from '../../src/cli/commands/datasets.ts';
import { showModel } from '../../src/cli/commands/models.ts';
import { run } from '../../src/cli/commands/run.ts';
import { pipelines } from '../../pipelines/index.ts';
import { said } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const project = resolve(import.meta.dirname, '../..');

async function folderWith(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  return folder;
}

/** What a user reads of a command that cannot do what it should, and its exit code. */
async function refusal(...[surroundings, command]: Parameters<typeof said>): Promise<string> {
  const { stderr, exit } = await said({ project, ...surroundings }, command);
  return `${stderr}exit ${exit}`;
}

const planned = (folder: string) => refusal({ folder }, (context) => plan(context, { offline: true }, 'collect-pipeline'));

describe('a configuration file is refused with place and next step when it', () => {
  test('does not parse', async () => {
    expect(await planned(await folderWith({ 'configs/local.yaml': 'index: x\na: b: c\n' }))).toMatchInlineSnapshot(`
      "error: configs/local.yaml is not YAML: Nested mappings are not allowed in compact mappings
        at        configs/local.yaml:2:4
        found     a: b: c
        → Mend that line. Every key and its values: configs/schemas/config.schema.json
      exit 2"
    `);
    expect(await planned(await folderWith({ 'configs/local.yaml': 'tenant: a\n---\ntenant: b\n' }))).toMatchInlineSnapshot(`
      "error: configs/local.yaml is not YAML: a second document begins here
        at        configs/local.yaml:2:1
        found     ---
        → Mend that line. Every key and its values: configs/schemas/config.schema.json
      exit 2"
    `);
    expect(await planned(await folderWith({ 'configs/local.yaml': 'tenant: *nowhere\n' }))).toMatchInlineSnapshot(`
      "error: configs/local.yaml is not YAML: nothing above is marked &nowhere
        at        configs/local.yaml:1:9
        found     tenant: *nowhere
        → Mend that line. Every key and its values: configs/schemas/config.schema.json
      exit 2"
    `);
  });

  test('is no text, or a folder', async () => {
    expect(await planned(await folderWith({ 'configs/local.yaml': Uint8Array.of(0xff, 0xfe, 0) }))).toMatchInlineSnapshot(`
      "error: configs/local.yaml is no text
        at        configs/local.yaml
        expected  YAML in UTF-8
        found     other bytes
        → Save it as UTF-8, or remove it.
      exit 2"
    `);
    expect(await planned(await folderWith({ 'configs/local.yaml/x': '' }))).toMatchInlineSnapshot(`
      "error: configs/local.yaml is a folder
        at        configs/local.yaml
        expected  a YAML file
        → Rename or remove it.
      exit 2"
    `);
  });

  test('is for a pipeline that is not there, or holds more than params', async () => {
    expect(await planned(await folderWith({ 'configs/pipelines/colect-pipeline.yaml': 'params: {}\n' }))).toMatchInlineSnapshot(`
      "error: There is no pipeline colect-pipeline
        at        configs/pipelines/colect-pipeline.yaml
        → Did you mean collect-pipeline?
      exit 2"
    `);
    expect(await planned(await folderWith({ 'configs/pipelines/collect-pipeline.yaml': 'tenant: x\n' }))).toMatchInlineSnapshot(`
      "error: configs/pipelines/collect-pipeline.yaml may only hold params, not tenant
        at        configs/pipelines/collect-pipeline.yaml:1
        → Set it in configs/local.yaml.
      exit 2"
    `);
  });
});

test('a key of the configuration that is not there is named with the near one', async () => {
  const folder = await temporaryFolder();
  expect(await refusal({ folder }, (context) => plan(context, { set: ['tenat=3'] }, 'collect-pipeline'))).toMatchInlineSnapshot(`
    "error: There is no key tenat
      at        --set tenat=3
      → Did you mean tenant?
    exit 2"
  `);
});

test('a run, job, model or dataset that is not there says where to look', async () => {
  const folder = await temporaryFolder();
  const said = [
    await refusal({ folder }, (context) => showRun(context, {}, 'nope')),
    await refusal({ folder }, (context) => runLogs(context, {}, 'nope')),
    await refusal({ folder }, (context) => jobLogs(context, { lines: '20' }, 'nope')),
    await refusal({ folder }, (context) => showModel(context, {}, 'nope')),
    await refusal({ folder }, (context) => showDataset(context, {}, 'nope')),
  ];
  expect(said.join('\n')).toMatchInlineSnapshot(`
    "error: There is no run nope
      found     nope
      → twin runs list shows the ids
    exit 2
    error: There is no run nope
      found     nope
      → twin runs list shows the ids
    exit 2
    error: There is no job nope
      → See: twin jobs list
    exit 2
    error: There is no model version or alias nope
      → See: twin models list
    exit 2
    error: There is no dataset version nope
      → See: twin datasets list
    exit 2"
  `);
});

describe('sources', () => {
  test('that are not there end with exit code 2', async () => {
    const folder = await temporaryFolder();
    const { stdout, exit } = await said({ folder, project }, (context) => collect(context, {}, join(folder, 'missing')));
    expect(`${stdout}exit ${exit}`).toMatchInlineSnapshot(`
      "collect-pipeline: 1 step (run <run>)
        failed     collect-sources <time>
                   error: The source <folder>/missing does not exist
                     at        <folder>/missing
                     → Name files and folders that exist: twin collect PATH…

      collect-pipeline failed after <time>: 1 failed.
      → twin runs show <run>, twin runs logs <run>
      → report: <folder>/.twin/reports/<run>.html
      exit 2"
    `);
  });

  test('that cannot be read as documents are each named, and with --strict refused, also from the cache', async () => {
    const folder = await folderWith({
      'in/binary.md': 'abc\0def',
      'in/blank.md': ' \n',
      'in/empty.md': '',
      'in/good.md': '# Good\n\nText.\n',
      'in/lines.jsonl': '{"content":"One.","link":"https://x/1"}\n{"content": broken\n{"content":"Three.","link":"https://x/3"}\n',
      'in/latin.md': Uint8Array.of(0x63, 0xe9, 0x20),
    });
    const source = join(folder, 'in');
    const first = await said({ folder, project }, (context) => collect(context, {}, source));
    expect(`${first.stdout}exit ${first.exit}`).toMatchInlineSnapshot(`
      "collect-pipeline: 1 step (run <run>)
        collect-sources: file:<folder>/in/binary.md is binary: byte 3 is NUL
        collect-sources: file:<folder>/in/blank.md is empty
        collect-sources: file:<folder>/in/empty.md is empty
        collect-sources: file:<folder>/in/latin.md is not UTF-8: byte 1 begins no character
        collect-sources: The record at file:<folder>/in/lines.jsonl:2 was left out: Unexpected token 'b', "{"content": broken" is not valid JSON
        collect-sources: <folder>/in was not read completely: nothing in it counts as vanished
        succeeded  collect-sources <time>  3 documents, 3 inserted, 5 rejected

      collect-pipeline succeeded after <time>: 1 succeeded.
      → twin runs show <run>
      → report: <folder>/.twin/reports/<run>.html
      exit 0"
    `);
    const strict = await said({ folder, project }, (context) => collect(context, { strict: true }, source));
    expect(strict.stdout).toContain('cached');
    expect(`${strict.stderr}exit ${strict.exit}`).toMatchInlineSnapshot(`
      "error: 5 pieces of the input were rejected, and --strict allows none
        found     file:<folder>/in/binary.md is binary: byte 3 is NUL
                  file:<folder>/in/blank.md is empty
                  file:<folder>/in/empty.md is empty
                  file:<folder>/in/latin.md is not UTF-8: byte 1 begins no character
                  The record at file:<folder>/in/lines.jsonl:2 was left out: Unexpected token 'b', "{"content": broken" is not valid JSON
        → Mend or remove them, or run without --strict.
      exit 3"
    `);
  });
});

test('state in a place where no folder can be is one problem, before anything runs', async () => {
  const folder = await folderWith({ '.twin': 'a file' });
  expect(await refusal({ folder }, (context) => run(context, {}, 'collect-pipeline'))).toMatchInlineSnapshot(`
    "error: <folder>/.twin cannot hold the state
      at        <folder>/.twin
      expected  a folder
      found     something else of that name
      → Move it away, or name another state folder: TWIN_STATE=/other/place
    exit 2"
  `);
  expect((await said({ folder, project }, (context) => doctor(context))).exit).toBe(2);
});

test.each(['state', 'cache', 'documents', 'index'])('a newer %s.db is refused, and left as it is', async (name) => {
  const folder = await folderWith({ '.twin/keep': '' });
  const file = join(folder, `.twin/${name}.db`);
  const database = new DatabaseSync(file);
  database.exec('CREATE TABLE later (x); PRAGMA user_version = 99');
  const refused = await refusal({ folder }, (context) => run(context, {}, 'collect-pipeline'));
  expect(refused).toMatch(
    /^error: The (journal|cache|document store|vector index) in <folder>\/\.twin\/\w+\.db was written by a newer twin\n/,
  );
  expect(refused).toMatch(/Nothing was changed\.\nexit 2$/);
  expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 });
  database.close();
});

test('a fake embedder still needs the tokenizer of the Python environment, and says so before the first step', async () => {
  const folder = await folderWith({ 'configs/local.yaml': 'embedder: {kind: fake}\n' });
  const environment = { TWIN_PYTHON: '/nowhere/python3', XDG_CACHE_HOME: join(folder, 'cache') };
  expect(await refusal({ folder, environment }, (context) => run(context, {}, 'feature-pipeline'))).toMatch(
    /^error: TWIN_PYTHON names \/nowhere\/python3, which is no Python that twin can use\.\n[^]*exit 2$/,
  );
});

test('in a folder without configs, every pipeline can be planned', async () => {
  const folder = await temporaryFolder();
  const names = Object.keys(pipelines);
  expect(names.length).toBeGreaterThanOrEqual(8);
  for (const name of names) {
    const { exit, stderr } = await said({ folder, project }, (context) => plan(context, { offline: true }, name));
    expect({ name, exit, stderr }).toEqual({ name, exit: 0, stderr: '' });
  }
});
