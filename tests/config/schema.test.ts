import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { configFileJsonSchema } from '../../src/config/schema.ts';
import { pipelines } from '../../pipelines/index.ts';

const root = new URL('../..', import.meta.url).pathname;

test('the JSON Schema in configs/schemas is the one that the configuration is checked with', async () => {
  const written = JSON.parse(await readFile(`${root}/configs/schemas/config.schema.json`, 'utf8')) as unknown;
  expect(written, 'run: npm run generate').toEqual(JSON.parse(JSON.stringify(configFileJsonSchema())));
});

test('base.yaml says what the defaults say, so that a folder without it behaves alike', async () => {
  const request = { folder: '/nowhere', profile: 'embedded', uses: [], pipelines: Object.keys(pipelines), environment: {}, set: [] };
  const [withFiles, without] = [loadConfig({ ...request, project: root }), loadConfig({ ...request, project: '/nowhere' })];
  expect(withFiles.ok && withFiles.value.config).toEqual(without.ok && without.value.config);
});
