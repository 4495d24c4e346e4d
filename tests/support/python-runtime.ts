import { join, resolve } from 'node:path';
import type { PythonEnvironment } from '../../src/workers/installed-environment.ts';
import type { PythonRuntime } from '../../src/workers/python-runtime.ts';

/** The package of the Python workers. */
export const workersFolder = resolve(import.meta.dirname, '../../python-workers');

/** A runtime around a Python that is there already. */
export function runtimeOf(python: string, environment: PythonEnvironment = { folder: '', python, sitePackages: '' }): PythonRuntime {
  const lockFile = join(workersFolder, 'requirements.lock');
  return { workersFolder, lockFile, locate: () => environment, ready: async () => environment };
}
