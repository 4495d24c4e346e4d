import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { deleteModel } from '../../src/cli/commands/delete-model.ts';
import { diffModels } from '../../src/cli/commands/diff-models.ts';
import { exportModel } from '../../src/cli/commands/export-model.ts';
import { listModels, showModel } from '../../src/cli/commands/models.ts';
import { promoteModel } from '../../src/cli/commands/promote-model.ts';
import { registerModel } from '../../src/cli/commands/register-model.ts';
import { rollbackModel } from '../../src/cli/commands/rollback-model.ts';
import { sha256 } from '../../src/contracts/digest.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';
import { recordEvaluation } from '../../src/registry/evaluations.ts';
import { modelReference } from '../../src/registry/models.ts';
import { registerTraining } from '../../src/registry/register-training.ts';
import { said } from '../support/command-line.ts';
import { trainingRun } from '../support/registry-fixture.ts';
import { writeSafetensors } from '../support/safetensors.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function filled<Value>(folder: string, fill: (store: MetadataStore) => Promise<Value>): Promise<Value> {
  const store = openSqliteMetadataStore({ file: join(folder, '.twin/state.db') });
  try {
    return await fill(store);
  } finally {
    await store.close();
  }
}

/** A folder with two candidates, each the newest of its training run. */
async function twoCandidates() {
  const folder = await temporaryFolder();
  const register = (mark: string) =>
    filled(folder, async (store) => modelReference(await registerTraining(store, trainingRun(mark), `run-${mark}`)));
  const [first, second] = [await register('a'), await register('b')];
  const passes = (candidate: string, incumbent: string | null, verdict: 'pass' | 'undecided' = 'pass') =>
    filled(folder, (store) =>
      recordEvaluation(store, 'twin', {
        candidate,
        incumbent,
        alias: 'champion',
        report: sha256(`${candidate} ${verdict}`),
        frozenSet: sha256('set'),
        verdict,
        reasons: [verdict === 'pass' ? 'better by 0.1 bits per byte' : 'too few documents'],
        difference: null,
        bitsPerByte: 1,
        run: 'r3',
      }),
    );
  return { folder, first, second, passes };
}

/** A model folder of four parameters. */
async function modelFolder(folder: string, name: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  await mkdir(join(folder, name));
  const all = { 'config.json': '{"model_type":"llama"}', 'tokenizer.json': '{}', ...files };
  for (const [file, text] of Object.entries(all)) await writeFile(join(folder, name, file), text);
  await writeSafetensors(join(folder, name, 'model.safetensors'), {
    'model.embed_tokens.weight': { shape: [2, 2], values: [1, 2, 3, name.length] },
  });
  return name;
}

describe('twin models promote', () => {
  test('is refused with exit 3 where no evaluation passed, and says what is wanted', async () => {
    const { folder, first, passes } = await twoCandidates();
    const promote = () => said({ folder }, (context) => promoteModel(context, {}, first));
    const never = await promote();
    expect(`${never.stderr}exit ${never.exit}`).toBe(
      `error: ${first} may not take over 'champion'\n  expected  an evaluation that compared it with its own base and passed\n  found     it was never evaluated\n  → Evaluate it with: twin run evaluation-pipeline --set promotion.alias=champion; or insist: twin models promote ${first} --to champion --force --reason "…"\nexit 3`,
    );
    await passes(first, null, 'undecided');
    expect((await promote()).stderr).toContain('found     verdict undecided: too few documents');
    await passes(first, null);
    expect(await promote()).toMatchObject({ exit: 0, stdout: `champion of twin: nothing → ${first}\n` });
    expect((await promote()).stdout).toBe(`champion of twin names ${first} already; nothing was moved.\n`);
  });

  test('by force needs a reason, which is shown with the model for ever', async () => {
    const { folder, first } = await twoCandidates();
    const without = await said({ folder }, (context) => promoteModel(context, { force: true }, first));
    expect(without.exit).toBe(2);
    expect(without.stderr).toContain('--force passes over the gate and needs a reason, which is shown for ever');
    await said({ folder }, (context) => promoteModel(context, { force: true, reason: 'a hot fix' }, first));
    expect((await said({ folder }, (context) => showModel(context, {}, first))).stdout).toMatch(
      new RegExp(`champion: nothing → ${first} by \\S+, FORCED past the gate \\(a hot fix\\)`),
    );
  });
});

test('twin models rollback goes back to what the alias named before, and says where there is nothing', async () => {
  const { folder, first, second, passes } = await twoCandidates();
  const rollback = () => said({ folder }, (context) => rollbackModel(context, {}));
  expect((await rollback()).stderr).toContain("twin has no alias 'champion'");
  await passes(first, null);
  await said({ folder }, (context) => promoteModel(context, {}, first));
  await passes(second, first);
  expect((await said({ folder }, (context) => promoteModel(context, {}, second))).stdout).toBe(
    `champion of twin: ${first} → ${second}\n→ back again: twin models rollback champion\n`,
  );
  expect((await rollback()).stdout).toContain(`champion of twin: ${second} → ${first}\n`);
  expect(await rollback()).toMatchObject({ exit: 1, stderr: expect.stringContaining(`found     ${first} was the first`) as string });
});

test('twin models delete is refused while something refers to the version, and takes it out of the list otherwise', async () => {
  const { folder, first, second } = await twoCandidates();
  const remove = (name: string) => said({ folder }, (context) => deleteModel(context, {}, name));
  const refusedOnce = await remove(second);
  expect(refusedOnce.exit).toBe(1);
  expect(refusedOnce.stderr).toContain('found     alias twin@candidate');
  // The alias candidate would roll back to the first.
  expect((await remove(first)).stderr).toContain('found     what a rollback of twin@candidate leads to');
  await filled(folder, async (store) => {
    const third = await registerTraining(store, trainingRun('c'), 'r4');
    expect(modelReference(third)).not.toBe(second);
  });
  expect((await remove(first)).stdout).toBe(`${first} is deleted from the registry; its files stay until they are collected as garbage.\n`);
  expect((await said({ folder }, (context) => listModels(context))).stdout).not.toContain(first);
  expect((await remove(first)).exit).toBe(2);
  await filled(folder, (store) => registerTraining(store, trainingRun('a'), 'r5'));
  expect((await said({ folder }, (context) => listModels(context))).stdout).toContain(first);
});

describe('twin models register', () => {
  test('takes a whole model of safetensors with a known licence, once', async () => {
    const folder = await temporaryFolder();
    await modelFolder(folder, 'llama', { 'README.md': '---\nlicense: apache-2.0\n---\n' });
    const register = () => said({ folder }, (context) => registerModel(context, { name: 'llama' }, 'llama'));
    const [, version] = /^(llama@\w+) is registered\./.exec((await register()).stdout)!;
    expect((await register()).stdout).toContain(version!);
    const shown = (await said({ folder }, (context) => showModel(context, {}, version!))).stdout;
    expect(shown).toContain('  made by    imported\n');
    expect(shown).toContain('  imported   from llama, licence apache-2.0\n');
    expect(await readdir(join(folder, 'llama'))).not.toContain('twin.json');
  });

  test.each([
    ['pickled weights', { 'pytorch_model.bin': '' }, 'it holds files that run code when they are loaded'],
    ['no licence', {}, 'does not say which licence it stands under'],
  ])('refuses a folder with %s', async (_, files, message) => {
    const folder = await temporaryFolder();
    await modelFolder(folder, 'given', files);
    const outcome = await said({ folder }, (context) => registerModel(context, { name: 'given' }, 'given'));
    expect(outcome.exit).toBe(2);
    expect(outcome.stderr).toContain(message);
    expect((await said({ folder }, (context) => listModels(context))).stdout).toContain('No models yet.');
  });
});

test('twin models export writes a whole folder with its card, or nothing; twin models diff tells two versions apart', async () => {
  const folder = await temporaryFolder();
  for (const name of ['one', 'second']) {
    await modelFolder(folder, name);
    await said({ folder }, (context) => registerModel(context, { name, licence: 'mit' }, name));
  }
  const [one, second] = await filled(folder, async (store) => {
    const { listModels: all } = await import('../../src/registry/models.ts');
    return (await all(store)).map(modelReference);
  });
  const flags = { format: 'merged' };
  const exported = await said({ folder }, (context) => exportModel(context, { ...flags, output: 'out/one' }, one!));
  expect(exported.stdout).toBe(`${one} → <folder>/out/one (merged)\n`);
  expect((await readdir(join(folder, 'out/one'))).toSorted()).toEqual([
    'README.md',
    'config.json',
    'model.safetensors',
    'tokenizer.json',
    'twin.json',
  ]);
  expect(await readFile(join(folder, 'out/one/README.md'), 'utf8')).toContain(`# ${one}\n`);
  const again = await said({ folder }, (context) => exportModel(context, { ...flags, output: 'out/one' }, one!));
  expect(`${again.exit} ${again.stderr}`).toContain('2 error: out/one is not empty');
  expect((await said({ folder }, (context) => exportModel(context, { ...flags, format: 'adapter', output: 'a' }, one!))).stderr).toContain(
    `${one} is whole weights and has no adapter`,
  );

  const unknown = await said({ folder }, (context) => exportModel(context, { ...flags, format: 'onnx', output: 'b' }, one!));
  expect(`${unknown.stderr}exit ${unknown.exit}`).toBe(
    'error: --format has a wrong value\n  expected  merged, adapter, gguf, ollama, int8\n  found     onnx\n  → For example: --format merged\nexit 2',
  );

  const refusal = async (wrong: object) =>
    (await said({ folder }, (context) => exportModel(context, { ...flags, ...wrong, output: 'b' }, one!))).stderr.split('\n').slice(0, 3);
  expect(await refusal({ quantization: 'q8_0' })).toEqual([
    'error: --quantization does nothing for the format merged',
    '  expected  --format gguf or --format int8',
    '  found     merged',
  ]);
  expect(await refusal({ format: 'int8', quantization: 'q8_0' })).toEqual([
    'error: --quantization has a wrong value',
    '  expected  absmax, zero-point',
    '  found     q8_0',
  ]);
  expect(await refusal({ format: 'int8', calibrate: 'some' })).toEqual([
    'error: --calibrate has a wrong value',
    '  expected  a number of samples',
    '  found     some',
  ]);
  expect(await refusal({ format: 'int8', calibrate: '8' })).toEqual([
    `error: What ${one} learned from is not known here, so there is nothing to calibrate with`,
    `  → Leave --calibrate out: the weights alone are rounded then`,
    '',
  ]);

  const diff = (await said({ folder }, (context) => diffModels(context, {}, one!, second!))).stdout;
  expect(diff).toContain(`${one} → ${second}\n  weights  `);
  expect(diff).toMatch(/ {2}embed_tokens +4 +4\.796 +3\.000 +62\.55 %/);
});
