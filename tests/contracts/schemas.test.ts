import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { workerSchemas, workerSchemasPath } from '../../scripts/worker-schemas.ts';

test('the Python workers know the contracts as they are: `npm run generate` was run', () => {
  expect(readFileSync(join(import.meta.dirname, '../..', workerSchemasPath), 'utf8')).toBe(workerSchemas());
});
