import { join } from 'node:path';
import { randomFrom } from '../src/metrics/random.ts';
import { crashMatrix } from '../tests/support/crash/matrix.ts';
import { serverMatrix } from '../tests/support/crash/server-matrix.ts';
import { plainPython } from '../tests/support/plain-python.ts';
import type { Soak } from './soak.ts';

/**
 * Kills a run at every record of its journal and at every point between, and has each finished by the next run; then kills mongod and Redis
 * at every record and row of runs on the server profile: for the first seed each point in a run of its own, for the others eight in one.
 */
export const soak: Soak = async (seed, { folder, signal }) => {
  const python = plainPython();
  if (python === null) throw new Error('This soak needs Python >= 3.10');
  const random = randomFrom(seed);
  const alone = await crashMatrix({ folder: join(folder, 'alone'), python, random, signal }, (all) => all);
  const together = seed === 1 ? 1 : 8;
  const servers = await serverMatrix({ folder: join(folder, 'servers'), python, random, signal }, (all) => all, together);
  const did = [
    `${alone.points} points, ${alone.kills} kills, slowest recovery ${alone.slowestRecoveryMs} ms`,
    `${servers.points} points on servers, ${servers.kills} servers killed, ${servers.survived} of ${servers.runs} runs went on by themselves`,
  ];
  return { did: did.join('; '), violations: [...alone.violations, ...servers.violations] };
};
