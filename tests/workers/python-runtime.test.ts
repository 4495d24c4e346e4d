import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sha256 } from '../../src/contracts/digest.ts';
import { pythonRuntime, workerVariables } from '../../src/workers/python-runtime.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a worker gets no secret, no other Python, and fixed answers to what libraries ask', () => {
  const variables = workerVariables('/twin/python-workers', {
    PATH: '/bin',
    LC_ALL: 'C.UTF-8',
    CUDA_VISIBLE_DEVICES: '1',
    OMP_NUM_THREADS: '3',
    OPENAI_API_KEY: 'secret',
    HF_TOKEN: 'secret',
    AWS_SECRET_ACCESS_KEY: 'secret',
    PYTHONHOME: '/other',
    PYTHONPATH: '/other',
    PYTHONDONTWRITEBYTECODE: '1',
    HF_HUB_OFFLINE: '0',
  });
  expect(variables).toEqual({
    PATH: '/bin',
    LC_ALL: 'C.UTF-8',
    CUDA_VISIBLE_DEVICES: '1',
    OMP_NUM_THREADS: '3',
    PYTHONPATH: '/twin/python-workers',
    PYTHONUNBUFFERED: '1',
    PYTHONUTF8: '1',
    HF_HUB_OFFLINE: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
    TOKENIZERS_PARALLELISM: 'false',
  });
});

test('a runtime finds the environment of its lock file without starting anything', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'requirements.lock'), '');
  const runtime = pythonRuntime({ workersFolder: folder, cacheFolder: join(folder, 'cache') });
  expect(runtime.locate()).toBeNull();
  const home = join(folder, 'cache', 'python', sha256('').slice(0, 16));
  await mkdir(join(home, 'bin'), { recursive: true });
  await writeFile(join(home, 'bin', 'python'), '');
  await chmod(join(home, 'bin', 'python'), 0o755);
  await writeFile(join(home, 'ready.json'), JSON.stringify({ lock: sha256(''), python: '3.11.7' }));
  const expected = { folder: home, python: join(home, 'bin', 'python'), sitePackages: join(home, 'lib/python3.11/site-packages') };
  expect(runtime.locate()).toEqual(expected);
  expect(await runtime.ready()).toEqual(expected);
});
