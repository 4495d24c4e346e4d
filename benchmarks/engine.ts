import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { timeChain } from './chain.ts';
import { runEmbedded, timeDurableAppend } from './engine/embedded.ts';
import { storeRuns } from './engine/many-runs.ts';
import { openPeers, type Peer, type Peers } from './engine/peers.ts';
import { effects, map } from './engine/pipelines.ts';
import { timeRecovery } from './engine/recovery.ts';
import { atMost, atMostTimes, type Figure, median, timeCommands } from './figure.ts';

const root = resolve(import.meta.dirname, '..');
const node = join(root, 'node_modules/.bin/node');
const twin = join(root, 'bin/twin.js');
const rounds = 3;
/** A peer whose round takes so long is measured once. */
const slowMs = 10_000;

type Report = (figure: Figure) => void;

/** Measures the engine beside its peers, in one run, in interleaved rounds: a step, an effect, a row, a hit, start-up, recovery, memory. */
export async function measure(report: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'twin-engine-bench-'));
  const peers = await openPeers((line) => console.error(line));
  try {
    await measureChain(report, peers);
    await measureEffects(report, peers);
    await measureMaps(report, peers);
    await measureStartup(report, folder);
    const recoveries: number[] = [];
    for (let round = 0; round < rounds; round += 1) recoveries.push(await timeRecovery(join(folder, `recovery-${round}`)));
    report(atMost('kill -9 of a run to its step running again', median(recoveries) / 1000, 's', 2));
    measureMemory(report);
  } finally {
    await peers.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The medians of twin's own values and of each peer's, in interleaved rounds. */
async function beside<Values extends Readonly<Record<string, number>>>(
  own: () => Promise<Values>,
  peers: readonly Peer[],
): Promise<{ readonly own: Values; readonly peers: readonly (readonly [name: string, value: number])[] }> {
  const ownRounds: Values[] = [];
  const peerRounds = new Map(peers.map(({ name }) => [name, [] as number[]]));
  const slow = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    ownRounds.push(await own());
    for (const peer of peers) {
      if (slow.has(peer.name)) continue;
      const start = performance.now();
      const value = peer.measure();
      if (value !== null) peerRounds.get(peer.name)!.push(value);
      if (value === null || performance.now() - start > slowMs) slow.add(peer.name);
    }
  }
  const medians = Object.fromEntries(Object.keys(ownRounds[0]!).map((name) => [name, median(ownRounds.map((values) => values[name]!))]));
  const measured = [...peerRounds].filter(([, values]) => values.length > 0).map(([name, values]) => [name, median(values)] as const);
  return { own: medians as Values, peers: measured };
}

async function measureChain(report: Report, peers: Peers): Promise<void> {
  const chain = await beside(async () => {
    const { cold, cached } = await timeChain(1000);
    return { step: cold / 1000, cached };
  }, peers.chain);
  report(atMost('chain of 1,000 no-op steps', chain.own.step, 'ms a step', 0.3));
  for (const [name, value] of chain.peers) report(atMostTimes('chain of 1,000 no-op steps', chain.own.step, 'ms a step', name, value, 1));
  const { cold } = await timeChain(100_000);
  report(atMostTimes('chain of 100,000 no-op steps', cold / 100_000, 'ms a step', 'chain of 1,000', chain.own.step, 1.2));
  report(atMost('cached rerun of 1,000 steps', chain.own.cached / 1000, 's', 0.1));
  const again = await beside(async () => ({ cached: (await timeChain(1000)).cached }), peers.cached);
  for (const [name, value] of again.peers)
    report({ ...atMostTimes('cached rerun of 1,000 steps', again.own.cached, 'ms', name, value, Infinity), target: 'told beside' });
}

async function measureEffects(report: Report, peers: Peers): Promise<void> {
  const length = 200;
  const measured = await beside(async () => {
    const floor = await timeDurableAppend(length);
    const run = await runEmbedded(effects(length));
    return { floor, step: run.total / length };
  }, peers.durable);
  const { floor, step } = measured.own;
  report(atMostTimes('effect step', step, 'ms', 'one synced commit', floor, 2));
  for (const [name, value] of measured.peers) report(atMostTimes('effect step', step, 'ms', name, value, 1));
}

async function measureMaps(report: Report, peers: Peers): Promise<void> {
  const count = 10_000;
  for (const [bytes, limit] of [
    [100, 0.05],
    [2000, 0.15],
  ] as const) {
    const measured = await beside(
      async () => ({ row: (await runEmbedded(map(count, bytes))).steps.get('pass')! / count }),
      peers.map(bytes),
    );
    const figure = `map over 10,000 rows of ${bytes} bytes, cold`;
    report(atMost(figure, measured.own.row, 'ms a row', limit));
    for (const [name, value] of measured.peers) report(atMostTimes(figure, measured.own.row, 'ms a row', name, value, 1));
  }
}

async function measureStartup(report: Report, folder: string): Promise<void> {
  const many = join(folder, 'many-runs');
  await storeRuns(many, 10_000);
  const environment = { TWIN_STATE: join(folder, 'startup') };
  const times = timeCommands(
    [
      { name: 'bare node', command: [node, '-e', '0'] },
      { name: 'twin --help', command: [node, twin, '--help'] },
      { name: 'runs list with 10,000 runs', command: [node, twin, 'runs', 'list'], env: { TWIN_STATE: many } },
      { name: 'plan nightly', command: [node, twin, 'plan', 'nightly'], env: environment },
      { name: 'plan feature-pipeline', command: [node, twin, 'plan', 'feature-pipeline'], env: environment },
    ],
    9,
  );
  const bare = times.get('bare node')!;
  report(atMostTimes('twin --help', times.get('twin --help')!, 'ms', 'bare node', bare, 2.3));
  report(atMostTimes('runs list with 10,000 runs', times.get('runs list with 10,000 runs')!, 'ms', 'bare node', bare, 3));
  for (const name of ['plan nightly', 'plan feature-pipeline']) report(atMostTimes(name, times.get(name)!, 'ms', 'bare node', bare, 6));
}

function measureMemory(report: Report): void {
  const measured = (what: 'steps' | 'rows', count: number): number => {
    const args = ['--expose-gc', join(import.meta.dirname, 'engine/memory.ts'), what, String(count)];
    const { stdout, stderr, status } = spawnSync(node, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return Number(stdout);
  };
  report(atMost('memory of a planned step, of 50,000', measured('steps', 50_000) / 1024, 'KB', 2));
  const [few, many] = [measured('rows', 20_000), measured('rows', 200_000)];
  report(atMost('memory of 200,000 rows more than of 20,000', many - few, 'MB', 20));
}
