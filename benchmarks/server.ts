import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { openFolderArtifactStore } from '../src/adapters/artifact-store/folder.ts';
import { openMongoMetadataStore } from '../src/adapters/metadata-store/mongodb.ts';
import { openBullWorkQueue } from '../src/adapters/work-queue/bullmq.ts';
import { codeHasher } from '../src/engine/code-hash.ts';
import { definePipeline } from '../src/engine/define.ts';
import { heldItems } from '../src/engine/dispatch/held-items.ts';
import { workForRuns } from '../src/engine/dispatch/host-worker.ts';
import { openDispatch } from '../src/engine/dispatch/offer.ts';
import { writeWorker } from '../src/engine/dispatch/tables.ts';
import { executeRun } from '../src/engine/execute.ts';
import { buildGraph } from '../src/engine/graph.ts';
import { resolveParams } from '../src/engine/params.ts';
import type { PortSource } from '../src/ports/ports.ts';
import { currentHolder, isDeadForSure } from '../src/workers/holder.ts';
import { startMongod } from '../tests/support/services/mongod.ts';
import { startRedis } from '../tests/support/services/redis.ts';
import { first, next } from './chain-steps.ts';
import { type Figure, atMost, atMostTimes, median } from './figure.ts';

const links = 100;
const rounds = 5;

/** A step whose journal lies in MongoDB, and what handing it to a worker through Redis adds. Servers are started on this machine. */
export async function measure(report: (figure: Figure) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'twin-bench-'));
  const [mongod, redis] = [await startMongod(join(folder)), await startRedis(folder)];
  const place = { url: mongod.url, database: 'bench', setting: 'metadataStore.url' };
  const metadata = openMongoMetadataStore({ ...place, subject: 'journal' });
  const cache = openMongoMetadataStore({ ...place, subject: 'cache', cache: true });
  const artifacts = openFolderArtifactStore({ folder: join(folder, 'artifacts') });
  const queue = openBullWorkQueue({ url: redis.url, prefix: 'bench', setting: 'workQueue.url' });
  const stores = { metadata, cache, artifacts };
  const ports: PortSource = { open: () => Promise.reject(new Error('no port is needed')), identity: () => Promise.resolve(null) };
  const ending = new AbortController();
  const holder = currentHolder('benchmark');

  const graphOf = (name: string) => {
    const pipeline = definePipeline({
      name,
      summary: 'A chain of no-op steps',
      build(builder) {
        let last = builder.step(first, {});
        for (let link = 1; link < links; link += 1) last = builder.step(next, { at: last.at }, { as: `next-${link}` });
      },
    });
    const graph = buildGraph(pipeline);
    if (!graph.ok) throw new Error(graph.error[0]!.message);
    return graph.value;
  };
  const chain = async (name: string, handedOver: boolean): Promise<number> => {
    const graph = graphOf(name);
    const params = resolveParams(graph, {});
    if (!params.ok) throw new Error(params.error[0]!.message);
    const start = performance.now();
    const end = await executeRun({
      graph,
      params: params.value,
      stores,
      ports,
      emit: () => undefined,
      signal: new AbortController().signal,
      // Every round does all of it again.
      options: { force: graph.nodes.map(({ address }) => address) },
      holder,
      isDead: isDeadForSure,
      profile: 'server',
      ...(handedOver && { dispatch: (context, pipeline) => openDispatch({ queue, ownPorts: new Set() }, context, pipeline) }),
    });
    if (end.status !== 'succeeded') throw new Error(`The chain ${end.status}: ${end.problem?.message}`);
    return (performance.now() - start) / links;
  };

  const client = new MongoClient(mongod.url);
  const floor = async (): Promise<number> => {
    const records = client.db('bench').collection('floor');
    const start = performance.now();
    for (let n = 0; n < links; n += 1) await records.insertOne({ n }, { writeConcern: { w: 'majority', journal: true } });
    return (performance.now() - start) / links;
  };
  const items = async (): Promise<number> => {
    let taken = Promise.withResolvers<void>();
    const stop = new AbortController();
    const consumed = queue.consume(async () => taken.resolve(), { concurrency: 1, signal: stop.signal, lane: 'floor' });
    const times: number[] = [];
    for (let n = 0; n < links; n += 1) {
      const start = performance.now();
      await queue.enqueue([{ kind: 'attempt', key: String(n) }], 'floor');
      await taken.promise;
      times.push(performance.now() - start);
      taken = Promise.withResolvers<void>();
    }
    stop.abort();
    await consumed;
    return median(times);
  };

  try {
    const lease = { revision: 0 };
    let held: readonly string[] = [];
    const beat = async (): Promise<void> => {
      const outcome = await writeWorker(metadata, 'bench', lease.revision, {
        pool: 'default',
        holder,
        concurrency: 2,
        since: 0,
        holds: held,
      });
      if (outcome.ok) lease.revision = outcome.revision;
    };
    await beat();
    const beating = setInterval(() => void beat().catch(() => undefined), 2000);
    const working = workForRuns({
      stores,
      ports,
      host: 'here',
      graph: (name) => Promise.resolve(graphOf(name)),
      hasher: codeHasher(cache),
      queue,
      pool: 'default',
      concurrency: 2,
      id: 'bench',
      holder,
      signal: ending.signal,
      tell: () => undefined,
      hold: heldItems((items) => (held = items)),
    });
    const times = { floor: [] as number[], here: [] as number[], there: [] as number[], item: [] as number[] };
    for (let round = -1; round < rounds; round += 1) {
      const measured = { floor: await floor(), here: await chain('bench', false), there: await chain('bench', true), item: await items() };
      if (round >= 0) for (const name of Object.keys(times) as (keyof typeof times)[]) times[name].push(measured[name]);
    }
    report(atMostTimes('step on the server profile, chain', median(times.here), 'ms', 'one majority append', median(times.floor), 2));
    report(atMost('item through Redis, from enqueue to its handler', median(times.item), 'ms', 2));
    report(atMost('step handed to a worker, added', median(times.there.map((there, index) => there - times.here[index]!)), 'ms', 2));
    clearInterval(beating);
    ending.abort();
    await working;
  } finally {
    ending.abort();
    await queue.close();
    await Promise.all([metadata.close(), cache.close(), artifacts.close(), client.close()]);
    await Promise.all([mongod.stop(), redis.stop()]);
    await rm(folder, { recursive: true, force: true });
  }
}
