import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { userFrame } from '../../src/history/user-frame.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('the innermost frame of a step is found below those of packages, of Node and of the engine', async () => {
  const file = join(await temporaryFolder(), 'chunk.ts');
  await writeFile(file, ['one', 'two', 'three', 'four', 'five'].join('\n'));
  const stack = [
    '    at parse (file:///project/node_modules/zod/v4/core/parse.js:10:3)',
    '    at node:internal/process/task_queues:105:5',
    `    at cut (file://${file}:2:11)`,
    '    at Object.run (file:///project/steps/feature/chunk-documents.ts:19:12)',
    '    at runPlainStep (file:///project/src/engine/plain-step.ts:18:16)',
  ].join('\n');
  expect(userFrame(stack)).toEqual({
    language: 'typescript',
    file,
    line: 2,
    in: 'cut',
    source: [
      { line: 1, text: 'one' },
      { line: 2, text: 'two' },
      { line: 3, text: 'three' },
      { line: 4, text: 'four' },
    ],
  });
});

test('a frame without a function, and one of an asynchronous function, are read', () => {
  expect(userFrame('    at file:///gone/step.ts:3:1')).toEqual({
    language: 'typescript',
    file: '/gone/step.ts',
    line: 3,
    in: null,
    source: [],
  });
  expect(userFrame('    at async Object.run (/gone/my step.ts:7:1)')).toMatchObject({ file: '/gone/my step.ts', line: 7, in: 'run' });
});

test('where no frame is of the user, the innermost of all is told', () => {
  expect(userFrame('    at a (/p/node_modules/x/a.js:1:2)\n    at b (/p/node_modules/x/b.js:3:4)')).toMatchObject({ in: 'a' });
  expect(userFrame('TypeError: nothing else')).toBe(null);
});

test('of a traceback of Python, the innermost frame of the job is found, not the library below it and not the worker above it', () => {
  const stack = [
    'Traceback (most recent call last):',
    '  File "/cache/lib/python3.11/site-packages/torch/nn/module.py", line 1, in first',
    '    raise KeyError()',
    'KeyError',
    '',
    'During handling of the above exception, another exception occurred:',
    '',
    'Traceback (most recent call last):',
    '  File "/twin/python-workers/twin_workers/attempt.py", line 90, in _run',
    '    outputs = importlib.import_module(name).run(job)',
    '  File "/twin/python-workers/twin_workers/jobs/train_sft.py", line 88, in run',
    '    trainer.train()',
    '  File "/cache/lib/python3.11/site-packages/transformers/trainer.py", line 2000, in train',
    '    raise RuntimeError("shape")',
    '  File "<frozen importlib._bootstrap>", line 1, in _call',
    'RuntimeError: shape',
  ].join('\n');
  expect(userFrame(stack)).toMatchObject({
    language: 'python',
    file: '/twin/python-workers/twin_workers/jobs/train_sft.py',
    line: 88,
    in: 'run',
  });
});

test('a long line of the source does not make the search long', () => {
  const started = performance.now();
  userFrame(`    at ${'a('.repeat(50_000)}`);
  userFrame(`  File "${'x'.repeat(100_000)}`);
  expect(performance.now() - started).toBeLessThan(2000);
});
