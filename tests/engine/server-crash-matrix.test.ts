import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../src/metrics/random.ts';
import { serverMatrix } from '../support/crash/server-matrix.ts';
import { plainPython } from '../support/plain-python.ts';
import { skipWithout } from '../support/python.ts';
import { findBinary } from '../support/services/find-binary.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const python = plainPython();
const lacking = [
  ...(python === null ? ['Python >= 3.10'] : []),
  ...(['mongod', 'redis-server', 'versitygw'] as const).filter((name) => findBinary(name) === null),
];
for (const name of lacking) skipWithout(name);

describe.skipIf(lacking.length > 0)('a run whose MongoDB or Redis is killed again and again goes on', () => {
  // Each seed has its share of the points, all of them in one run a victim. `npm run soak -- engine` takes every point, each in a run of its own too.
  test.each([1, 2])('with nothing done twice and nothing half written, seed %i', { timeout: 180_000 }, async (seed) => {
    const matrix = await serverMatrix(
      { folder: join(await temporaryFolder(), 'matrix'), python: python!, random: randomFrom(seed) },
      (points) => points.filter((_, index) => index % 12 === seed),
      8,
    );
    expect(matrix.violations).toEqual([]);
    expect(matrix.kills).toBeGreaterThan(8);
  });
});
