import { join } from 'node:path';
import { randomFrom } from '../src/metrics/random.ts';
import { crashMatrix } from '../tests/support/crash/matrix.ts';
import { serverMatrix } from '../tests/support/crash/server-matrix.ts';
import { plainPython } from '../tests/support/plain-python.ts';
import type { Soak } from './soak.ts';

const all = (points: readonly string[]): readonly string[] => points;

/**
 * Kills a run at every record of its journal and at every point between, and has each finished by the next run; then kills mongod and Redis
 * at every record and row of runs on the server profile: for the first seed each point in a run of its own, for the others eight in one.
 */
export const soak: Soak = async (seed, { folder, signal, progress }) => {
  const python = plainPython();
  if (python === null) throw new Error('This soak needs Python >= 3.10');
  const random = randomFrom(seed);
  const given = { python, random, signal };
  const alone = await crashMatrix({ ...given, folder: join(folder, 'alone'), progress: (...far) => progress('runs killed', ...far) }, all);
  const together = seed === 1 ? 1 : 8;
  const heard = (...far: readonly [number, number]): void => progress('runs that lose a server', ...far);
  const servers = await serverMatrix({ ...given, folder: join(folder, 'servers'), progress: heard }, all, together);
  const did = [
    `${alone.points} points, ${alone.kills} kills, slowest recovery ${alone.slowestRecoveryMs} ms`,
    `${servers.points} points on servers, ${servers.kills} servers killed, ${servers.survived} of ${servers.runs} runs went on by themselves`,
  ];
  return { did: did.join('; '), violations: [...alone.violations, ...servers.violations] };
};
