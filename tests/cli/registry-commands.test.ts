import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { listDatasets, showDataset } from '../../src/cli/commands/datasets.ts';
import { cancelJob, jobLogs, listJobs } from '../../src/cli/commands/jobs.ts';
import { listModels, showModel } from '../../src/cli/commands/models.ts';
import { sha256 } from '../../src/contracts/digest.ts';
import { ModelVersionLine } from '../../src/contracts/results.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';
import { moveAlias } from '../../src/registry/aliases.ts';
import { registerDataset } from '../../src/registry/datasets.ts';
import { modelReference } from '../../src/registry/models.ts';
import { registerTraining } from '../../src/registry/register-training.ts';
import { said } from '../support/command-line.ts';
import { trainingRun } from '../support/registry-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function filled<Value>(folder: string, fill: (store: MetadataStore) => Promise<Value>): Promise<Value> {
  const store = openSqliteMetadataStore({ file: join(folder, '.twin/state.db') });
  try {
    return await fill(store);
  } finally {
    await store.close();
  }
}

describe('twin models', () => {
  test('without any says how to make one', async () => {
    const folder = await temporaryFolder();
    expect((await said({ folder }, (context) => listModels(context))).stdout).toBe('No models yet.\n→ twin run training-pipeline\n');
    expect((await said({ folder, json: true }, (context) => listModels(context))).stdout).toBe('');
  });

  test('list has one line a version, with aliases and the highest stage', async () => {
    const folder = await temporaryFolder();
    const candidate = await filled(folder, async (store) => {
      const model = await registerTraining(store, trainingRun(), 'r1');
      const move = { model: model.name, expected: null, to: modelReference(model), who: 'me', run: null, report: null, reason: 'first' };
      await moveAlias(store, { ...move, alias: 'champion' });
      return model;
    });
    const { stdout } = await said({ folder, json: true }, (context) => listModels(context));
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => ModelVersionLine.parse(JSON.parse(line)));
    expect(lines).toHaveLength(3);
    const line = lines.find(({ version }) => version === candidate.version)!;
    expect(line).toMatchObject({ type: 'model-version', name: 'twin', stage: 'champion' });
    expect(line.aliases.toSorted()).toEqual(['candidate', 'champion']);
    const table = (await said({ folder }, (context) => listModels(context))).stdout.split('\n');
    expect(table[0]).toMatch(/^MODEL +STAGE +ALIASES +CREATED$/);
    expect(table.filter((row) => row.startsWith('twin@'))).toHaveLength(3);
  });

  test('show finds a version by alias, by its start, or by name and version, and tells where it comes from', async () => {
    const folder = await temporaryFolder();
    const model = await filled(folder, (store) => registerTraining(store, trainingRun(), 'r1'));
    const shown = await said({ folder }, (context) => showModel(context, {}, 'candidate'));
    expect(shown.exit).toBe(0);
    expect(shown.stdout).toContain(
      `${modelReference(model)}\n  aliases    candidate\n  made by    dpo, a toy: its base was trained here on a few documents\n`,
    );
    expect(shown.stdout).toContain('Where it comes from\n');
    expect(shown.stdout).toMatch(
      / {2}twin@\S+ {2}dpo on instructions@0123456789ab\n {2}twin@\S+ {2}sft on instructions@0123456789ab\n {2}twin@\S+ {2}pretrain-tiny\n/,
    );
    for (const name of [model.version.slice(0, 8), modelReference(model), 'twin@candidate']) {
      expect((await said({ folder }, (context) => showModel(context, {}, name))).stdout).toBe(shown.stdout);
    }
    const unknown = await said({ folder }, (context) => showModel(context, {}, 'nobody'));
    expect(`${unknown.stderr}exit ${unknown.exit}`).toBe(
      'error: There is no model version or alias nobody\n  → See: twin models list\nexit 2',
    );
  });
});

describe('twin datasets', () => {
  test('list and show tell counts and word of a card that is gone', async () => {
    const folder = await temporaryFolder();
    const split = (name: string, count: number) => ({ artifact: sha256(name), count });
    const splits = { train: split('train', 80), validation: split('validation', 10), test: split('test', 1210) };
    const dataset = await filled(folder, (store) =>
      registerDataset(store, { name: 'instructions', splits, preference: null, card: sha256('card') }),
    );
    const list = (await said({ folder }, (context) => listDatasets(context))).stdout;
    expect(list).toMatch(
      new RegExp(`^DATASET +CREATED +TRAIN +VALIDATION +TEST\\ninstructions@${dataset.version} +<moment> +80 +10 +1,210\\n$`),
    );
    const shown = (await said({ folder }, (context) => showDataset(context, {}, 'instructions'))).stdout;
    expect(shown).toBe(
      `instructions@${dataset.version}\n  created    <moment>\n  samples    80 train, 10 validation, 1,210 test\n  its card is gone from the artifact store\n`,
    );
    expect((await said({ folder }, (context) => showDataset(context, {}, 'nothing'))).exit).toBe(2);
  });
});

describe('twin jobs', () => {
  async function ended(folder: string, id: string, code: number): Promise<void> {
    const attempt = join(folder, '.twin/jobs', id, 'attempts/1');
    await mkdir(attempt, { recursive: true });
    const request = {
      v: 1,
      id,
      attempt: 1,
      job: 'train-sft',
      params: {},
      inputs: {},
      outputs: {},
      checkpoints: '/c',
      promptTemplate: { text: '', digest: '' },
      leaseSeconds: null,
      deadlines: null,
      adaptations: [],
      gpus: 1,
    };
    await writeFile(join(attempt, 'request.json'), JSON.stringify(request));
    await writeFile(join(attempt, 'keeper.json'), JSON.stringify({ pid: 1, start: '0', bootId: 'gone', nonce: 'n', worker: null }));
    await writeFile(join(attempt, 'exit.json'), JSON.stringify({ code, signal: null, wall: '2026-01-01T00:00:00Z' }));
    await writeFile(join(attempt, 'output.log'), 'first line\nsecond line\nlast line\n');
  }

  test('list, logs and cancel tell of jobs by the start of their ids', async () => {
    const folder = await temporaryFolder();
    await ended(folder, 'aa11', 0);
    await ended(folder, 'ab22', 30);
    expect((await said({ folder }, (context) => listJobs(context))).stdout).toBe(
      'JOB   WHAT       STATE  ATTEMPT  EXIT\naa11  train-sft  ended        1  0 done\nab22  train-sft  ended        1  30 out-of-memory\n',
    );
    expect((await said({ folder }, (context) => jobLogs(context, { lines: '2' }, 'ab'))).stdout).toBe('second line\nlast line\n');
    expect((await said({ folder }, (context) => cancelJob(context, {}, 'aa'))).stdout).toBe(
      'Job aa11 had ended already; nothing was done.\n',
    );
    const ambiguous = await said({ folder }, (context) => jobLogs(context, { lines: '2' }, 'a'));
    expect(`${ambiguous.stderr}exit ${ambiguous.exit}`).toBe(
      'error: a begins 2 jobs\n  found     aa11, ab22\n  → Give more of its id.\nexit 2',
    );
  });
});
