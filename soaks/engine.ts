import { randomFrom } from '../src/metrics/random.ts';
import { crashMatrix } from '../tests/support/crash/matrix.ts';
import { plainPython } from '../tests/support/plain-python.ts';
import type { Soak } from './soak.ts';

/** Kills a run at every record of its journal and at every point between, and has each finished by the next run. */
export const soak: Soak = async (seed, { folder, signal }) => {
  const python = plainPython();
  if (python === null) throw new Error('This soak needs Python >= 3.10');
  const { points, kills, slowestRecoveryMs, violations } = await crashMatrix(
    { folder, python, random: randomFrom(seed), signal },
    (all) => all,
  );
  return { did: `${points} points, ${kills} kills, slowest recovery ${slowestRecoveryMs} ms`, violations };
};
