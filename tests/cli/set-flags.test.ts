import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { showConfig } from '../../src/cli/commands/config.ts';
import { plan } from '../../src/cli/commands/plan.ts';
import { said } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = resolve(import.meta.dirname, '../..');

async function refusal(pipeline: string, ...set: readonly string[]): Promise<string> {
  const folder = await temporaryFolder();
  return (await said({ folder, project: root }, (context) => plan(context, { set, offline: true }, pipeline))).stderr;
}

describe('--set takes the types of the step', () => {
  test('what looks like a number or a word of YAML is text where the step wants text', async () => {
    const folder = await temporaryFolder();
    for (const text of ['42', 'true', 'null', '1e3', '0x10']) {
      const set = [`read-words.tenant=${text}`];
      const { stdout, exit } = await said({ folder, json: true }, (context) => showConfig(context, { set }, 'words-pipeline'));
      const shown = stdout.split('\n').find((line) => line.includes('params.read-words.tenant'));
      expect([exit, JSON.parse(shown!)]).toMatchObject([0, { value: text, layer: 'flag', where: `--set read-words.tenant=${text}` }]);
    }
  });

  test('a wrong type is told with the one that is expected, and lists and maps with how they are written', async () => {
    expect(await refusal('collect-pipeline', 'collect-sources.sources=docs')).toMatchInlineSnapshot(`
      "error: collect-sources.sources is not what the step takes
        at        --set collect-sources.sources=docs
        expected  a list
        found     "docs"
        → Write it so: 'collect-sources.sources=[one, two]'
      "
    `);
    expect(await refusal('training-pipeline', 'train-sft.epochs=many', 'train-sft.lora=8')).toMatchInlineSnapshot(`
      "error: train-sft.epochs is not what the step takes
        at        --set train-sft.epochs=many
        expected  a number
        found     "many"

      error: train-sft.lora is not what the step takes
        at        --set train-sft.lora=8
        expected  a map
        found     8
        → Write it so: 'train-sft.lora={key: value}'

      2 problems; nothing was changed.
      "
    `);
  });
});

test('twin config show --origin names every layer: the wiring too, and the key that a parameter follows', async () => {
  const folder = await temporaryFolder();
  const show = async (pipeline: string, key: string, environment: Readonly<Record<string, string>> = {}) => {
    const { stdout } = await said({ folder, environment, json: true }, (context) => showConfig(context, { origin: true }, pipeline));
    const lines = stdout.trimEnd().split('\n');
    const { layer, where } = lines
      .map((line) => JSON.parse(line) as { key: string; layer: string; where: string | null })
      .find((line) => line.key === key)!;
    return `${layer} ${where}`.replace(/\S*\/(?=[^/]+:\d)/, '').replace(/:\d+.*/, ':<line>');
  };
  expect(await show('leak-pipeline', 'params.leak-secret.variable')).toBe('wiring leak-pipeline.ts:<line>');
  expect(await show('words-pipeline', 'params.read-words.failing')).toBe('default null');
  expect(await show('words-pipeline', 'params.read-words.count')).toBe('pipeline words-pipeline.yaml:<line>');
  expect(await show('words-pipeline', 'params.read-words.tenant')).toBe('key tenant (default)');
  expect(await show('words-pipeline', 'params.read-words.count', { TWIN_SET__read_words__count: '4' })).toBe(
    'environment TWIN_SET__read_words__count',
  );
});
