/** Writes every generated file of the repository; a test of each fails when it was not run. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFileJsonSchema } from '../src/config/schema.ts';
import { nightlyWorkflow, nightlyWorkflowPath } from './nightly-workflow.ts';
import { workerSchemas, workerSchemasPath } from './worker-schemas.ts';

const root = join(import.meta.dirname, '..');
const files: Readonly<Record<string, () => string>> = {
  [workerSchemasPath]: workerSchemas,
  [nightlyWorkflowPath]: nightlyWorkflow,
  'configs/schemas/config.schema.json': () => `${JSON.stringify(configFileJsonSchema(), null, 2)}\n`,
};

for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text());
