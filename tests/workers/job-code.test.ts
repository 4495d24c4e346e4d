import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { jobCodeDigest } from '../../src/workers/job-code.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;
const write = async (path: string, text: string) => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
};
const digest = () => jobCodeDigest(folder, 'train-sft');

beforeEach(async () => {
  folder = await temporaryFolder();
  await write('requirements.lock', 'torch==2.13.0');
  await write('twin_workers/protocol.py', 'import json');
  await write('twin_workers/keeper.py', 'from twin_workers.protocol import EXIT_CODES');
  await write(
    'twin_workers/jobs/train_sft.py',
    'def run(job):\n    from twin_workers.training import (\n        fit,  # the loop\n        save,\n    )\n',
  );
  await write(
    'twin_workers/training.py',
    'import torch\nimport twin_workers.masks as masks, os\nfrom twin_workers import prompts\nfrom . import schedule\nfrom .loss import nll\n',
  );
  for (const name of ['masks', 'prompts', 'schedule', 'unused']) await write(`twin_workers/${name}.py`, '');
  await write('twin_workers/loss/__init__.py', 'from .terms import all_terms');
  await write('twin_workers/loss/terms.py', '');
  await write('twin_workers/jobs/train_dpo.py', '');
});

test.each(
  [
    'requirements.lock',
    'protocol.py',
    'keeper.py',
    'jobs/train_sft.py',
    'training.py',
    'masks.py',
    'prompts.py',
    'schedule.py',
    'loss/__init__.py',
    'loss/terms.py',
  ].map((name) => (name === 'requirements.lock' ? name : `twin_workers/${name}`)),
)('a change of %s is another identity', async (path) => {
  const before = await digest();
  await write(path, '# changed');
  expect(await digest()).not.toBe(before);
});

test.each(['unused.py', 'jobs/train_dpo.py'])('a change of %s, which the job does not import, is not', async (name) => {
  const before = await digest();
  await write(`twin_workers/${name}`, '# changed');
  expect(await digest()).toBe(before);
});
