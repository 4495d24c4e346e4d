import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { configurationSchemas } from '../../src/cli/configuration-schemas.ts';
import { pipelines } from '../../pipelines/index.ts';

const root = new URL('../..', import.meta.url).pathname;

test('the JSON Schemas in configs/schemas are those that the configuration is checked with: `npm run generate` was run', async () => {
  const schemas = await configurationSchemas(pipelines);
  const files = schemas.ok ? schemas.value : [];
  expect(files.map(({ name }) => name)).toEqual(['config', ...Object.keys(pipelines)].map((name) => `${name}.schema.json`));
  for (const { name, text } of files) expect(await readFile(`${root}/configs/schemas/${name}`, 'utf8')).toBe(text);
});

test("a pipeline's schema knows the parameters of its steps, nested and by address, and no others", async () => {
  const { properties } = JSON.parse(await readFile(`${root}/configs/schemas/nightly.schema.json`, 'utf8')) as {
    properties: { params: { properties: Record<string, { properties?: Record<string, unknown> }>; additionalProperties: boolean } };
  };
  const { params } = properties;
  expect(params.additionalProperties).toBe(false);
  expect(params.properties['training-pipeline.train-sft.epochs']).toMatchObject({
    type: expect.stringMatching(/integer|number/) as string,
  });
  expect(params.properties['training-pipeline']?.properties?.['train-sft']).toMatchObject({ properties: { epochs: {} } });
});

test('every file in configs names the schema that an editor shall use, and it is there', async () => {
  const files = [
    'base.yaml',
    ...['profiles', 'pipelines'].flatMap((folder) => readdirSync(`${root}/configs/${folder}`).map((file) => `${folder}/${file}`)),
  ];
  for (const file of files) {
    const [, schema] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(await readFile(`${root}/configs/${file}`, 'utf8')) ?? [];
    expect(existsSync(resolve(`${root}/configs`, dirname(file), schema!))).toBe(true);
    expect(file.startsWith('pipelines/') ? basename(schema!, '.schema.json') : 'config').toBe(
      file.startsWith('pipelines/') ? basename(file, '.yaml') : 'config',
    );
  }
});

test('base.yaml says what the defaults say, so that a folder without it behaves alike', async () => {
  const request = { folder: '/nowhere', profile: 'embedded', uses: [], pipelines: Object.keys(pipelines), environment: {}, set: [] };
  const [withFiles, without] = [loadConfig({ ...request, project: root }), loadConfig({ ...request, project: '/nowhere' })];
  expect(withFiles.ok && withFiles.value.config).toEqual(without.ok && without.value.config);
});
