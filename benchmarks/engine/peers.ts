import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { installedPeers } from '../peers/install.ts';
import { startPostgres, startRedis } from '../peers/servers.ts';

const node = resolve(import.meta.dirname, '../../node_modules/.bin/node');
const limitMs = 180_000;

/** A peer's program: milliseconds of one step or row, or null with a word on why it could not be measured. */
export interface Peer {
  readonly name: string;
  measure(): number | null;
}

/** Every peer that this machine has or can have, by what is measured. */
export interface Peers {
  readonly chain: readonly Peer[];
  /** By bytes of a row. */
  map(bytes: number): readonly Peer[];
  readonly durable: readonly Peer[];
  readonly cached: readonly Peer[];
  stop(): Promise<void>;
}

/** Installs peers and starts the servers that they need. */
export async function openPeers(say: (line: string) => void): Promise<Peers> {
  const scratch = await mkdtemp(join(tmpdir(), 'twin-peers-'));
  const { folder, python, node: packages } = installedPeers(say);
  const redis = packages ? await startRedis(scratch) : null;
  const postgres = packages ? await startPostgres() : null;
  const lines = (name: string, program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Peer => ({
    name,
    measure() {
      const ran = spawnSync(program, args, { cwd: folder, encoding: 'utf8', timeout: limitMs, env: { ...process.env, ...more } });
      const value = Number(ran.stdout?.trim().split('\n').at(-1));
      if (ran.status === 0 && ran.stdout.trim() !== '' && Number.isFinite(value)) return value;
      say(`${name} could not be measured: ${(ran.stderr || String(ran.error ?? ran.signal)).trim().split('\n').at(-1) ?? ''}`);
      return null;
    },
  });
  const pythonEnvironment = python === null ? {} : { PYTHONPATH: python, USERNAME: 'bench', METAFLOW_DATASTORE_SYSROOT_LOCAL: scratch };
  const absent = [
    ...(packages ? [] : ['BullMQ', 'Mastra', 'DBOS']),
    ...(packages && redis === null ? ['BullMQ (no redis-server)'] : []),
    ...(packages && postgres === null ? ['DBOS (no postgres)'] : []),
    ...(python === null ? ['Kedro', 'doit', 'Metaflow'] : []),
  ];
  for (const name of absent) say(`absent: ${name}`);
  return {
    chain: [
      ...(redis ? [lines('BullMQ flow', node, ['bullmq.js', 'chain', '1000', String(redis.port)])] : []),
      ...(packages ? [lines('Mastra', node, ['mastra.js', 'chain', '1000'])] : []),
      ...(python === null ? [] : [lines('Kedro, 300 nodes', 'python3', ['kedro_chain.py', '300'], pythonEnvironment)]),
      ...(python === null
        ? []
        : [wholeRun('Metaflow, 5 steps', 5, 'python3', ['metaflow_chain.py', 'run'], folder, pythonEnvironment, say)]),
    ],
    map: (bytes) => [
      ...(redis ? [lines('BullMQ fan-out', node, ['bullmq.js', 'map', '10000', String(redis.port), String(bytes)])] : []),
      ...(packages ? [lines('Mastra foreach', node, ['mastra.js', 'map', '10000', String(bytes)])] : []),
    ],
    durable: postgres ? [lines('DBOS', node, ['dbos.js', '1000', `postgresql://postgres@127.0.0.1:${postgres.port}/postgres`])] : [],
    cached: fileTools(scratch, folder, python, pythonEnvironment, say),
    async stop() {
      await redis?.stop();
      await postgres?.stop();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** Time of a whole run by its steps: for tools that start a process a step. */
function wholeRun(
  name: string,
  steps: number,
  program: string,
  args: readonly string[],
  cwd: string,
  more: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Peer {
  return {
    name,
    measure() {
      const start = performance.now();
      const { status, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: limitMs, env: { ...process.env, ...more } });
      if (status === 0) return (performance.now() - start) / steps;
      say(`${name} could not be measured: ${stderr.trim().split('\n').at(-1) ?? ''}`);
      return null;
    },
  };
}

/** Tools that build a chain of 1,000 files, run again when all is there; milliseconds of the whole. */
function fileTools(
  scratch: string,
  peers: string,
  python: string | null,
  more: NodeJS.ProcessEnv,
  say: (line: string) => void,
): readonly Peer[] {
  const length = 1000;
  const links = Array.from({ length }, (_, at) => at);
  const again = (name: string, folder: string, program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Peer => {
    const cwd = join(scratch, folder);
    let made = false;
    const run = () => spawnSync(program, args, { cwd, encoding: 'utf8', timeout: limitMs, env: { ...process.env, ...environment } });
    return {
      name,
      measure() {
        if (!made) {
          const { status, stderr } = run();
          made = status === 0;
          if (!made) say(`${name} could not be measured: ${(stderr ?? '').trim().split('\n').at(-1) ?? ''}`);
        }
        if (!made) return null;
        const start = performance.now();
        return run().status === 0 ? performance.now() - start : null;
      },
    };
  };
  for (const folder of ['make', 'ninja', 'doit']) {
    mkdirSync(join(scratch, folder));
    writeFileSync(join(scratch, folder, 'f0'), '');
  }
  writeFileSync(
    join(scratch, 'make/Makefile'),
    `all: f${length}\n${links.map((at) => `f${at + 1}: f${at}\n\ttouch f${at + 1}\n`).join('')}`,
  );
  writeFileSync(
    join(scratch, 'ninja/build.ninja'),
    `rule touch\n  command = touch $out\n${links.map((at) => `build f${at + 1}: touch f${at}\n`).join('')}`,
  );
  return [
    again('make', 'make', 'make', ['-s']),
    again('ninja', 'ninja', 'ninja', ['--quiet']),
    ...(python === null
      ? []
      : [again('doit', 'doit', 'python3', ['-m', 'doit', '-f', join(peers, 'dodo.py'), '-d', '.'], { ...more, COUNT: String(length) })]),
  ];
}
