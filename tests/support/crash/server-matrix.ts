import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Holder } from '../../../src/contracts/run.ts';
import { heldItems } from '../../../src/engine/dispatch/held-items.ts';
import { workForRuns } from '../../../src/engine/dispatch/host-worker.ts';
import { openDispatch } from '../../../src/engine/dispatch/offer.ts';
import { workerLeaseMs, workersTable } from '../../../src/engine/dispatch/tables.ts';
import { buildGraph } from '../../../src/engine/graph.ts';
import type { Stores } from '../../../src/engine/run-context.ts';
import type { RandomSource } from '../../../src/metrics/random.ts';
import { currentHolder } from '../../../src/workers/holder.ts';
import { guardEffects, type Scene, violations } from './invariants.ts';
import type { MatrixSurroundings } from './matrix.ts';
import { crashPipeline } from './pipeline.ts';
import { crashHasher, crashRun, immortal } from './run.ts';
import { type CrashServers, startCrashServers, type Victim, victims } from './servers.ts';
import { type Blows, moments, withStrikes } from './strikes.ts';

interface Settings {
  readonly folder: string;
  readonly python: string;
  readonly concurrency: number;
  readonly rows: number;
}

/** One run of the matrix: whom it loses, and at which points. */
export interface ServerCase {
  readonly victim: Victim;
  readonly strikes: ReadonlyMap<string, (typeof moments)[number]>;
}

const unharmed: Blows = { due: () => null, kill: () => Promise.resolve() };

/** Every point that a run on the servers passes, in order. */
async function serverPoints(servers: CrashServers, settings: Settings): Promise<readonly string[]> {
  const points: string[] = [];
  const hear: Blows = { ...unharmed, due: (point) => (points.push(point), null) };
  await onServers(servers, settings, 'dry', async ({ run }) => {
    const end = await run(hear);
    if (end.status !== 'succeeded') throw new Error(`The dry run ended as ${end.status}: ${end.problem?.message ?? ''}`);
  });
  return points;
}

/** One run whose servers die at points, the run that finishes it where it could not itself, and one that has nothing left to do. */
async function strike(servers: CrashServers, settings: Settings, name: string, { victim, strikes }: ServerCase) {
  const died: string[] = [];
  const found: string[] = [];
  let survived = false;
  await onServers(servers, settings, name, async ({ run, scene }) => {
    const blows: Blows = {
      due: (point) => {
        const moment = strikes.get(point) ?? null;
        if (moment !== null) died.push(`${point} (${moment})`);
        return moment;
      },
      kill: () => servers.kill(victim),
    };
    const guarded = async (work: () => Promise<void>): Promise<void> => void found.push(...(await guardEffects(scene, work)));
    await guarded(async () => {
      survived = (await run(blows)).status === 'succeeded';
      await servers.up();
    });
    if (!survived) {
      await guarded(async () => {
        const end = await run(unharmed);
        if (end.status !== 'succeeded') found.push(`the run that recovers ended as ${end.status}: ${end.problem?.message ?? ''}`);
      });
    }
    await guarded(async () => {
      const { steps, status } = await run(unharmed);
      if (status !== 'succeeded' || steps.succeeded > 0) found.push(`a run after that did ${steps.succeeded} steps again`);
    });
    found.push(...(await violations(scene)));
  });
  return { died, survived, violations: found.map((line) => `${victim} killed at ${[...strikes.keys()].join(', then ')}: ${line}`) };
}

/** A worker and runs on the servers, in this process: a run that has ended counts as a process that is gone. */
async function onServers(
  servers: CrashServers,
  settings: Settings,
  name: string,
  work: (on: { readonly scene: Scene; readonly run: (blows: Blows) => ReturnType<typeof crashRun> }) => Promise<void>,
): Promise<void> {
  const folder = join(settings.folder, name);
  await mkdir(folder, { recursive: true });
  const gone = new Set<string>();
  const isDead = ({ start }: Holder): boolean => gone.has(start);
  const newHolder = (command: string): Holder => ({ ...currentHolder(command), start: randomUUID() });
  const stores = servers.stores(name);
  const queue = servers.queue(name);
  const scene: Scene = { folder, isDead, open: () => servers.stores(name) };
  const stopping = new AbortController();
  let blowsNow = unharmed;
  const blows: Blows = { due: (point) => blowsNow.due(point), kill: () => blowsNow.kill() };
  const worker = serve(
    { ...stores, metadata: withStrikes(stores.metadata, 'worker:', blows) },
    queue,
    newHolder('twin worker'),
    stopping.signal,
  );
  const run = async (given: Blows): ReturnType<typeof crashRun> => {
    blowsNow = given;
    const holder = newHolder('twin run crash');
    const options = { queue, ownPorts: new Set(['jobLauncher'] as const) };
    const end = await crashRun({
      ...settings,
      folder,
      fate: immortal,
      emit: () => undefined,
      stores: { ...stores, metadata: withStrikes(stores.metadata, 'run:', given) },
      dispatch: (context, pipeline) => openDispatch(options, context, pipeline),
      holder,
      isDead,
    });
    gone.add(holder.start);
    blowsNow = unharmed;
    return end;
  };
  try {
    await work({ scene, run });
  } finally {
    stopping.abort();
    await worker;
    await queue.close();
    await Promise.all([stores.metadata.close(), stores.cache.close()]);
  }
}

/** Does steps for runs until the signal aborts, as `twin worker` does. */
async function serve(stores: Stores, queue: ReturnType<CrashServers['queue']>, holder: Holder, signal: AbortSignal): Promise<void> {
  const graph = buildGraph(crashPipeline);
  if (!graph.ok) throw new Error('The crash pipeline is sound');
  const id = randomUUID();
  const row = { pool: 'default', holder, concurrency: 2, since: 0 };
  let held: readonly string[] = [];
  const live = async (): Promise<void> => {
    while (!signal.aborted) {
      const write = { key: id, expectedRevision: null, row: { ...row, holds: held } as never, expiresInMs: workerLeaseMs };
      await stores.metadata.putMany(workersTable, [write], 'passing').catch(() => undefined);
      await delay(workerLeaseMs / 3, undefined, { signal }).catch(() => undefined);
    }
  };
  const surroundings = { host: holder.host, graph: async () => graph.value, hasher: crashHasher };
  const ports = { open: () => Promise.reject(new Error('No port is open here')), identity: async () => null };
  await Promise.all([
    live(),
    workForRuns({
      ...surroundings,
      stores,
      ports,
      queue,
      pool: 'default',
      concurrency: 2,
      id,
      holder,
      signal,
      tell: () => undefined,
      hold: heldItems((items) => (held = items)),
    }),
  ]);
}

/** A seed's cases: each victim dies at every chosen point, `together` of them in one run. */
function casesOf(random: RandomSource, points: readonly string[], together: number): readonly ServerCase[] {
  return victims.flatMap((victim) => {
    const runs = Math.ceil(points.length / together);
    return Array.from({ length: runs }, (_, first) => {
      const own = points.filter((_, index) => index % runs === first);
      return { victim, strikes: new Map(own.map((point) => [point, moments[random.below(moments.length)]!])) };
    });
  });
}

/** Kills mongod, Redis, and Redis with all that it held, at the chosen points of runs on the server profile. */
export async function serverMatrix(
  surroundings: MatrixSurroundings,
  choose: (points: readonly string[]) => readonly string[],
  together: number,
): Promise<{
  readonly points: number;
  readonly kills: number;
  readonly survived: number;
  readonly runs: number;
  readonly violations: readonly string[];
}> {
  const { folder, python, random, signal, progress } = surroundings;
  const settings = { folder: join(folder, 'cases'), python, concurrency: 2 + random.below(2), rows: 12 + random.below(30) };
  const servers = await startCrashServers(folder);
  try {
    const points = await serverPoints(servers, settings);
    const cases = casesOf(random, choose(points), together);
    const outcomes = [];
    for (const [index, one] of cases.entries()) {
      if (signal?.aborted) break;
      outcomes.push(await strike(servers, settings, `case-${index}`, one));
      progress?.(outcomes.length, cases.length);
    }
    return {
      points: points.length,
      kills: outcomes.reduce((sum, { died }) => sum + died.length, 0),
      survived: outcomes.filter(({ survived }) => survived).length,
      runs: outcomes.length,
      violations: outcomes.flatMap((outcome) => outcome.violations),
    };
  } finally {
    await servers.stop();
  }
}
