/** Writes every generated file of the repository; a test of each fails when it was not run. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerSchemas, workerSchemasPath } from './worker-schemas.ts';

const root = join(import.meta.dirname, '..');
const files: Readonly<Record<string, () => string>> = {
  [workerSchemasPath]: workerSchemas,
};

for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text());
