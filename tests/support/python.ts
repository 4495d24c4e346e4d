import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { locateEnvironment, userCacheFolder } from '../../src/workers/environment.ts';
import type { PythonRuntime } from '../../src/workers/python-runtime.ts';
import { runtimeOf, workersFolder } from './python-runtime.ts';

/** Any Python of the machine, for what needs the standard library alone; null where there is none. */
export function plainPython(): string | null {
  try {
    return execFileSync(
      process.env['TWIN_PYTHON'] ?? 'python3',
      ['-c', 'import sys; assert sys.version_info >= (3, 10); print(sys.executable)'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    ).trim();
  } catch {
    return null;
  }
}

/** The built environment with torch and the embedder's weights, if there is one on this machine; tests never build it. */
export function builtEnvironment(): PythonRuntime | null {
  const environment = locateEnvironment({ lockFile: join(workersFolder, 'requirements.lock'), cacheFolder: userCacheFolder() });
  return environment === null ? null : runtimeOf(environment.python, environment);
}

/** Says loudly that tests were skipped for want of `what`; a failure where all that tests need was promised. */
export function skipWithout(what: string): void {
  test.skipIf(process.env['TWIN_REQUIRE_SERVICES'] !== '1')(`these tests need ${what}, which is not here`, () => {
    expect.fail(`${what} is not here, and TWIN_REQUIRE_SERVICES=1 promises it`);
  });
}
