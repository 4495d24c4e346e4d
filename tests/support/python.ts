import { join } from 'node:path';
import { expect, test } from 'vitest';
import { locateEnvironment, userCacheFolder } from '../../src/workers/environment.ts';
import type { PythonRuntime } from '../../src/workers/python-runtime.ts';
import { runtimeOf, workersFolder } from './python-runtime.ts';

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
