import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { timeChain } from './chain.ts';
import { type Figure, atMost, atMostTimes, median, timeCommands } from './figure.ts';

const root = resolve(import.meta.dirname, '..');
const node = join(root, 'node_modules/.bin/node');
const twin = join(root, 'bin/twin.js');
const pipelines = [
  'collect-pipeline',
  'feature-pipeline',
  'dataset-pipeline',
  'training-pipeline',
  'evaluation-pipeline',
  'inference-pipeline',
  'nightly',
];

/** Measures the figures of the whole length: start-up, the engine's overhead, memory and growth of the feature pipeline, the quickstart. */
export async function measure(report: (figure: Figure) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'twin-whole-length-'));
  try {
    measureStartup(report, join(folder, 'startup'));
    await measureChain(report);
    await measureFeature(report, folder);
    measureQuickstart(report, join(folder, 'quickstart'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function measureStartup(report: (figure: Figure) => void, state: string): void {
  const env = { TWIN_STATE: state };
  const times = timeCommands(
    [
      { name: 'bare node', command: [node, '-e', '0'] },
      { name: 'commander in JavaScript', command: [node, join(import.meta.dirname, 'help-program.js'), '--help'] },
      { name: 'twin --help', command: [node, twin, '--help'] },
      ...pipelines.map((name) => ({ name: `plan ${name}`, command: [node, twin, 'plan', name] as const, env })),
    ],
    15,
  );
  const help = times.get('twin --help')!;
  report(atMostTimes('twin --help', help, 'ms', 'commander in JavaScript', times.get('commander in JavaScript')!, 1.3));
  report(atMostTimes('twin --help', help, 'ms', 'bare node', times.get('bare node')!, 2.3));
  for (const name of pipelines)
    report(atMostTimes(`plan ${name}`, times.get(`plan ${name}`)!, 'ms', 'bare node', times.get('bare node')!, 6));
}

async function measureChain(report: (figure: Figure) => void): Promise<void> {
  const rounds = [];
  for (let round = 0; round < 5; round += 1) rounds.push(await timeChain(1000));
  report(atMost('1,000 chained no-op steps', median(rounds.map(({ cold }) => cold)), 'ms', 1000));
  report(atMost('1,000 chained steps, all cached', median(rounds.map(({ cached }) => cached)), 'ms', 200));
}

/** Runs a command and watches the most memory that its process ever held, in megabytes. */
async function watchMemory(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly seconds: number; readonly megabytes: number }> {
  const start = performance.now();
  const child = spawn(node, [twin, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
  let megabytes = 0;
  const timer = setInterval(() => {
    const status = `/proc/${child.pid}/status`;
    if (!existsSync(status)) return;
    try {
      megabytes = Math.max(megabytes, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1] ?? 0) / 1024);
    } catch {
      // It ended between the two looks.
    }
  }, 50);
  const code = await new Promise<number | null>((settled) => child.on('exit', settled));
  clearInterval(timer);
  if (code !== 0) throw new Error(`twin ${args.join(' ')} exited with ${code}`);
  return { seconds: (performance.now() - start) / 1000, megabytes };
}

async function generateDocuments(file: string, count: number): Promise<void> {
  const stream = createWriteStream(file);
  for (let at = 0; at < count; at += 1) {
    const words = Array.from({ length: 60 }, (_, word) => `word${(at * 31 + word * 17) % 5000}`).join(' ');
    const document = {
      id: String(at),
      content: { Title: `Document ${at}`, Content: `# Part ${at % 7}\n\n${words}.` },
      link: `https://example.org/${at}`,
      platform: 'generated',
    };
    if (!stream.write(`${JSON.stringify(document)}\n`)) await new Promise((drained) => stream.once('drain', drained));
  }
  stream.end();
  await finished(stream);
}

/** With a fake embedder (hashes for vectors), so that what is measured is twin and not MiniLM. */
async function measureFeature(report: (figure: Figure) => void, folder: string): Promise<void> {
  const seconds: number[] = [];
  for (const count of [10_000, 100_000]) {
    const export_ = join(folder, `documents-${count}.jsonl`);
    await generateDocuments(export_, count);
    const env = { TWIN_STATE: join(folder, `state-${count}`), TWIN_EMBEDDER__KIND: 'fake' };
    const collect = await watchMemory(['collect', export_, '--quiet'], env);
    const feature = await watchMemory(['run', 'feature-pipeline', '--quiet'], env);
    seconds.push(feature.seconds);
    const name = `${count.toLocaleString('en')} documents (fake embedder)`;
    report(atMost(`collect-pipeline, ${name}, most memory`, collect.megabytes, 'MB', 400));
    report(atMost(`feature-pipeline, ${name}, most memory`, feature.megabytes, 'MB', 400));
  }
  report(atMostTimes('feature-pipeline, 100,000 documents', seconds[1]!, 's', 'ten times 10,000 documents', seconds[0]! * 10, 1.2));
}

function measureQuickstart(report: (figure: Figure) => void, state: string): void {
  const run = (): number => {
    const start = performance.now();
    const { status, stderr } = spawnSync(node, [twin, 'quickstart', '--json'], {
      cwd: root,
      env: { ...process.env, TWIN_STATE: state },
      maxBuffer: 2 ** 28,
    });
    if (status !== 0) throw new Error(`quickstart exited with ${status}: ${String(stderr)}`);
    return (performance.now() - start) / 1000;
  };
  report(atMost('quickstart, Python environment there', run(), 's', 300));
  report(atMost('quickstart again, every step cached', run(), 's', 10));
}
