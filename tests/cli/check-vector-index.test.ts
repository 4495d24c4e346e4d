import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doctor } from '../../src/cli/commands/doctor.ts';
import { said } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('doctor names a Qdrant server that does not answer, with the fix', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'configs'));
  await writeFile(join(folder, 'configs/local.yaml'), 'vectorIndex: { kind: qdrant, url: "http://127.0.0.1:9" }\n');
  const { stdout, exit } = await said({ folder }, doctor);
  expect(exit).toBe(2);
  expect(stdout).toMatch(/problem +vector index +Qdrant at http:\/\/127\.0\.0\.1:9 does not answer, tried for/);
  expect(stdout).toContain('Start the server or correct the address, then run it again: nothing is lost.');
});
