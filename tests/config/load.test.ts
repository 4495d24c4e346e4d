import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConfigRequest, loadConfig } from '../../src/config/load.ts';
import { renderProblems } from '../../src/report/problem.ts';
import { plainStyle } from '../../src/report/style.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twin-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function files(contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(contents)) {
    const path = join(folder, 'configs', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

function load(more: Partial<ConfigRequest> = {}) {
  return loadConfig({
    project: folder,
    folder,
    profile: 'embedded',
    uses: [],
    pipelines: ['nightly', 'feature-pipeline'],
    environment: {},
    set: [],
    ...more,
  });
}

async function loaded(more: Partial<ConfigRequest> = {}) {
  const result = load(more);
  if (!result.ok) throw new Error(renderProblems(result.error, plainStyle));
  return result.value;
}

async function refusal(more: Partial<ConfigRequest> = {}): Promise<string> {
  const result = load(more);
  if (result.ok) throw new Error('was accepted');
  return renderProblems(result.error, plainStyle);
}

describe('layers of the configuration', () => {
  test('without any file give the defaults', async () => {
    expect((await loaded()).config).toEqual({
      state: '.twin',
      tenant: 'default',
      index: 'documents',
      metadataStore: { kind: 'sqlite' },
      artifactStore: { kind: 'folder' },
      workQueue: { kind: 'in-process' },
      documentStore: { kind: 'sqlite' },
      embedder: { kind: 'python' },
      vectorIndex: { kind: 'sqlite' },
      jobLauncher: {
        kind: 'local',
        secrets: [],
        start: 'spawn',
        leaseMinutes: 15,
        gpus: 1,
        pricePerHour: null,
        deadlines: { heartbeatSeconds: 60, phaseSeconds: {}, stepFactor: 10, stepMinimumSeconds: 120, graceSeconds: 30 },
      },
      chatModel: { kind: 'none' },
      modelHub: { kind: 'none' },
      reranker: 'off',
      promotion: { alias: 'champion' },
      pools: {},
      params: {},
    });
  });

  test('replace each other from base to flag, and every value knows where it came from', async () => {
    await files({
      'base.yaml': 'tenant: base\nindex: base\nstate: base\n',
      'profiles/embedded.yaml': '# a comment\nindex: profile\n',
      'local.yaml': 'promotion:\n  alias: local\n',
    });
    const { config, settings } = await loaded({
      environment: { TWIN_STATE: '/elsewhere', TWIN_PROMOTION__ALIAS: 'variable' },
      set: ['promotion.alias=flag'],
    });
    expect(config).toMatchObject({ tenant: 'base', index: 'profile', state: '/elsewhere', promotion: { alias: 'flag' } });
    const origins = Object.fromEntries([...settings].map(([address, { origin }]) => [address, `${origin.layer} ${origin.where}`]));
    expect(origins).toEqual({
      tenant: 'base configs/base.yaml:1',
      index: 'profile configs/profiles/embedded.yaml:2',
      state: 'environment TWIN_STATE',
      'promotion.alias': 'flag --set promotion.alias=flag',
    });
  });

  test('replace a map of another kind as a whole', async () => {
    await files({ 'base.yaml': 'embedder:\n  kind: fake\n  dimension: 7\n', 'local.yaml': 'embedder: {kind: python}\n' });
    expect((await loaded()).config.embedder).toEqual({ kind: 'python' });
  });

  test('take a number for text where a key wants text', async () => {
    expect((await loaded({ environment: { TWIN_TENANT: '42' } })).config.tenant).toBe('42');
  });

  test('never hold the value of a secret', async () => {
    await files({
      'local.yaml': 'chatModel:\n  kind: openai-compatible\n  url: http://localhost:1/v1\n  model: m\n  apiKey: {env: MY_KEY}\n',
    });
    const { config } = await loaded({ environment: { MY_KEY: 'sk-secret' } });
    expect(config.chatModel).toMatchObject({ apiKey: { env: 'MY_KEY' } });
    expect(JSON.stringify(config)).not.toContain('sk-secret');
  });
});

describe('parameters of steps', () => {
  const nightly = [
    { name: 'nightly', prefix: '' },
    { name: 'feature-pipeline', prefix: 'feature-pipeline' },
  ];
  const params = async (more: Partial<ConfigRequest>) =>
    Object.fromEntries([...(await loaded(more)).settings].map(([address, { value }]) => [address.replace('params.', ''), value]));

  test('may be nested or joined by dots', async () => {
    await files({ 'pipelines/nightly.yaml': 'params:\n  a.b: 1\n  c:\n    d: [1, 2]\n    e:\n      f: null\n' });
    expect(await params({ uses: [nightly[0]!] })).toEqual({ 'a.b': 1, 'c.d': [1, 2], 'c.e.f': null });
  });

  test('of a used pipeline apply under its prefix, and the outer pipeline overrides them', async () => {
    await files({
      'pipelines/feature-pipeline.yaml': 'params:\n  sync-index: {limit: 1, batch: 2}\n',
      'pipelines/nightly.yaml': 'params:\n  feature-pipeline.sync-index.limit: 3\n',
    });
    expect(await params({ uses: nightly })).toEqual({ 'feature-pipeline.sync-index.limit': 3, 'feature-pipeline.sync-index.batch': 2 });
    expect(await params({ uses: [{ name: 'feature-pipeline', prefix: '' }] })).toEqual({ 'sync-index.limit': 1, 'sync-index.batch': 2 });
  });

  test('that begin with a pipeline apply wherever it stands, and nowhere else', async () => {
    await files({ 'local.yaml': 'params:\n  feature-pipeline.sync-index.limit: 1\n' });
    expect(await params({ uses: nightly })).toEqual({ 'feature-pipeline.sync-index.limit': 1 });
    expect(await params({ uses: [{ name: 'feature-pipeline', prefix: '' }] })).toEqual({ 'sync-index.limit': 1 });
    expect(await params({ uses: [{ name: 'other', prefix: '' }] })).toEqual({});
  });

  test('come from the environment with __ for a dot and _ for a hyphen', async () => {
    expect(await params({ environment: { TWIN_SET__sync_index__chunk_documents__maxTokens: '200' } })).toEqual({
      'sync-index.chunk-documents.maxTokens': 200,
    });
  });
});

describe('a mistake in the configuration', () => {
  test('of type is named with file, line, expected and found, and all of them come at once', async () => {
    await files({
      'base.yaml': 'tenant: 7\n\nembedder:\n  kind: fake\n  dimension: many\n',
      'local.yaml': 'promotion:\n  alais: x\nchatModel: {kind: openai-compatible, url: nowhere}\n',
    });
    expect(await refusal()).toMatchInlineSnapshot(`
      "error: tenant has a wrong value
        at        configs/base.yaml:1
        expected  text that is not empty
        found     the number 7

      error: embedder.dimension has a wrong value
        at        configs/base.yaml:5
        expected  a whole number greater than 0
        found     the text "many"

      error: chatModel.url has a wrong value
        at        configs/local.yaml:3
        expected  a URL
        found     the text "nowhere"

      error: chatModel.model is missing
        expected  text that is not empty
        found     nothing

      error: Unknown key promotion.alais
        at        configs/local.yaml:2
        → Did you mean promotion.alias?

      5 problems; nothing was changed."
    `);
  });

  test('in the syntax is named with line and column', async () => {
    await files({ 'local.yaml': 'tenant: a\nindex: [1, 2\n' });
    expect(await refusal()).toMatchInlineSnapshot(`
      "error: configs/local.yaml is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]
        at        configs/local.yaml:3:1
        → Mend that line. Every key and its values: configs/schemas/config.schema.json"
    `);
  });

  test('of a key that stands twice is found', async () => {
    await files({ 'base.yaml': 'tenant: a\ntenant: b\n' });
    expect(await refusal()).toMatchInlineSnapshot(`
      "error: configs/base.yaml is not YAML: Map keys must be unique
        at        configs/base.yaml:2:1
        found     tenant: b
        → Mend that line. Every key and its values: configs/schemas/config.schema.json"
    `);
  });

  test('of a variable or a flag is named by the variable or the flag', async () => {
    expect(await refusal({ environment: { TWIN_STAT: '/x', TWIN_RERANKER: 'on' }, set: ['promotion.alias=3'] })).toMatchInlineSnapshot(`
      "error: reranker has a wrong value
        at        TWIN_RERANKER
        expected  "off"
        found     the text "on"

      error: Unknown key stat
        at        TWIN_STAT
        → Did you mean TWIN_STATE?

      2 problems; nothing was changed."
    `);
  });

  test('of a flag without a value shows how it is written', async () => {
    expect(await refusal({ set: ['maxTokens'] })).toMatchInlineSnapshot(`
      "error: --set maxTokens names no value
        expected  --set <address>=<value>
        → For example: --set chunk-documents.maxTokens=200"
    `);
  });

  test('of a profile that is not there names those that are', async () => {
    expect(await refusal({ profile: 'server' })).toMatchInlineSnapshot(`
      "error: Profile server is not part of this version of twin
        → The profiles are: embedded."
    `);
  });

  test('of another key in the file of a pipeline is refused', async () => {
    await files({ 'pipelines/nightly.yaml': 'tenant: x\n' });
    expect(await refusal({ uses: [{ name: 'nightly', prefix: '' }] })).toMatchInlineSnapshot(`
      "error: configs/pipelines/nightly.yaml may only hold params, not tenant
        at        configs/pipelines/nightly.yaml:1
        → Set it in configs/local.yaml."
    `);
  });

  test('of a credential in a URL is refused without showing it', async () => {
    await files({ 'local.yaml': 'chatModel: {kind: openai-compatible, url: "http://me:hunter2@localhost/v1", model: m}\n' });
    const message = await refusal();
    expect(message).not.toContain('hunter2');
    expect(message).toMatchInlineSnapshot(`
      "error: chatModel.url holds a credential
        at        configs/local.yaml:1
        expected  a URL without user and password
        → Name the variable, file or command that holds the key instead: chatModel.apiKey.env: NAME"
    `);
  });
});

test('journal, artifacts and queue are shared with other hosts together, or not at all', () => {
  const set = [
    'workQueue.kind=redis',
    'workQueue.url=redis://127.0.0.1:6379',
    'metadataStore.kind=mongodb',
    'metadataStore.url=mongodb://h',
  ];
  const result = load({ set });
  expect(result.ok || renderProblems(result.error, plainStyle)).toBe(
    `error: Other hosts share metadataStore and workQueue, and not artifactStore
  expected  artifactStore.kind: s3
  found     artifactStore.kind: folder
  → Share all three, as --profile server does, or none of them.`,
  );
  expect(load({ set: [...set, 'artifactStore.kind=s3', 'artifactStore.bucket=twin'] }).ok).toBe(true);
});
