import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pinnedPackage } from '../../src/workers/requirements-lock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a package is found with its version, and without markers and hashes', async () => {
  const lock = join(await temporaryFolder(), 'requirements.lock');
  await writeFile(
    lock,
    "torch-extra==1.0 \\\n    --hash=sha256:aa\ntorch==2.13.0 ; sys_platform == 'linux' \\\n    --hash=sha256:bb\nsix==1.17.0\n",
  );
  expect(pinnedPackage(lock, 'torch')).toBe('torch==2.13.0');
  expect(pinnedPackage(lock, 'six')).toBe('six==1.17.0');
  expect(() => pinnedPackage(lock, 'numpy')).toThrow(`${lock} does not pin numpy`);
});
