import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { randomFrom } from '../../src/metrics/random.ts';
import { crashMatrix } from '../support/crash/matrix.ts';
import { plainPython } from '../support/plain-python.ts';
import { skipWithout } from '../support/python.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const python = plainPython();

describe('a run that is killed at any point is finished by the next', () => {
  if (python === null) skipWithout('Python >= 3.10');
  // Both seeds die at every record of the journal; the points between them are shared out. `npm run soak -- engine` takes all for each seed.
  test.skipIf(python === null).each([1, 2])(
    'with nothing done twice and nothing half written, seed %i',
    { timeout: 300_000 },
    async (seed) => {
      const matrix = await crashMatrix(
        { folder: join(await temporaryFolder(), 'matrix'), python: python!, random: randomFrom(seed) },
        (points) => points.filter((point, index) => point.includes(' record ') || index % 2 === seed % 2),
      );
      expect(matrix.violations).toEqual([]);
      expect(matrix.kills).toBeGreaterThan(30);
      // A lease that had to run out would take 30 s.
      expect(matrix.slowestRecoveryMs).toBeLessThan(15_000);
    },
  );
});
