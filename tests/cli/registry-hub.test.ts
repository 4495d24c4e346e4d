import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listModels, showModel } from '../../src/cli/commands/models.ts';
import { pullModel } from '../../src/cli/commands/pull-model.ts';
import { pushModel } from '../../src/cli/commands/push-model.ts';
import { registerModel } from '../../src/cli/commands/register-model.ts';
import { said } from '../support/command-line.ts';
import { fakeHub } from '../support/fake-hub.ts';
import { writeSafetensors } from '../support/safetensors.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const flags = { format: 'merged' };

async function registered() {
  const server = await fakeHub();
  onTestFinished(() => server.close());
  const folder = await temporaryFolder();
  const environment = {
    TWIN_MODEL_HUB__KIND: 'hugging-face',
    TWIN_MODEL_HUB__URL: server.url,
    TWIN_MODEL_HUB__TOKEN__ENV: 'HF_TOKEN',
    HF_TOKEN: server.token,
  };
  await mkdir(join(folder, 'llama'));
  await writeFile(join(folder, 'llama/config.json'), '{"model_type":"llama"}');
  await writeFile(join(folder, 'llama/tokenizer.json'), '{}');
  await writeSafetensors(join(folder, 'llama/model.safetensors'), { weight: { shape: [32], values: Array.from({ length: 32 }, () => 1) } });
  const { stdout } = await said({ folder, json: true }, (context) =>
    registerModel(context, { name: 'llama', licence: 'apache-2.0' }, 'llama'),
  );
  const { version, weights } = JSON.parse(stdout) as { version: string; weights: string };
  return { server, folder, environment, version, weights };
}

test('a version that was pushed is pulled into an empty project with the same weights', async () => {
  const { server, folder, environment, version, weights } = await registered();
  const pushed = await said({ folder, environment }, (context) => pushModel(context, flags, version, 'team/llama'));
  expect(pushed.stdout).toContain(`${version} → team/llama, commit ${server.repositories.get('team/llama')!.commit.slice(0, 12)}\n`);
  expect(server.repositories.get('team/llama')!.files.get('README.md')!.toString()).toContain('license: apache-2.0');

  const empty = await temporaryFolder();
  const pull = () => said({ folder: empty, environment, json: true }, (context) => pullModel(context, {}, 'team/llama'));
  expect(JSON.parse((await pull()).stdout)).toMatchObject({ type: 'model-registered', weights });
  await pull();
  expect((await said({ folder: empty }, (context) => listModels(context))).stdout.match(/^llama@/gm)).toHaveLength(1);
  expect((await said({ folder: empty }, (context) => showModel(context, {}, 'llama'))).stderr).toContain(
    'There is no model version or alias llama',
  );
});

test('without a hub in the configuration, or with a wrong name, says what to write', async () => {
  const { folder, environment, version } = await registered();
  const unconfigured = await said({ folder }, (context) => pushModel(context, flags, version, 'team/llama'));
  expect(`${unconfigured.stderr}exit ${unconfigured.exit}`).toBe(
    'error: No model hub is configured\n  expected  modelHub in configs/\n  found     kind: none\n  → Add to configs/local.yaml: modelHub: { kind: hugging-face, token: { env: HF_TOKEN } }\nexit 2',
  );
  const named = await said({ folder, environment }, (context) => pullModel(context, {}, 'llama'));
  expect(named.stderr).toContain('llama is no name of a repository\n  expected  <owner>/<name>');
});
