/** Writes every generated file of the repository; a test of each fails when it was not run. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipelines } from '../pipelines/index.ts';
import { configurationSchemas } from '../src/cli/configuration-schemas.ts';
import { nightlyWorkflow, nightlyWorkflowPath } from './nightly-workflow.ts';
import { workerSchemas, workerSchemasPath } from './worker-schemas.ts';

const root = join(import.meta.dirname, '..');
const files: Readonly<Record<string, () => string>> = {
  [workerSchemasPath]: workerSchemas,
  [nightlyWorkflowPath]: nightlyWorkflow,
};

const schemas = await configurationSchemas(pipelines);
if (!schemas.ok) throw new Error(schemas.error[0]!.message);
for (const { name, text } of schemas.value) writeFileSync(join(root, 'configs/schemas', name), text);
for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text());
