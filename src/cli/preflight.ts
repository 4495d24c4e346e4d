import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { secretReader, secretReferences, type SecretSurroundings } from '../config/secret.ts';
import type { Config } from '../config/schema.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { Graph } from '../engine/graph.ts';
import type { PortName } from '../ports/ports.ts';
import { findPython } from '../workers/find-python.ts';
import { checkServers } from './check-servers.ts';
import { checkVectorIndex } from './check-vector-index.ts';
import type { Session } from './session.ts';

/** One thing that was looked at before a run. */
export interface Check {
  readonly subject: string;
  /** What was found, where nothing is in the way. */
  readonly found: string;
  readonly problem: Problem | null;
  /** What will take time or space, although nothing is in the way. */
  readonly note?: string;
}

/** Bytes that the Python environment takes, with CUDA (design: 4.9 GB, and room to unpack). */
const environmentBytes = 7_000_000_000;
/** Bytes without which no run should start. */
const stateBytes = 200_000_000;
const endpointMs = 2000;

/** Ports whose adapters need the Python environment. */
const pythonPorts: ReadonlySet<PortName> = new Set(['embedder', 'jobLauncher', 'tokenizer']);

/** Whether a pipeline has steps that need Python. */
export function needsPython(graph: Graph, config: Config): boolean {
  return graph.nodes.some(({ step }) =>
    step.needs.some((port) => pythonPorts.has(port) && !(port === 'embedder' && config.embedder.kind === 'fake')),
  );
}

/** Everything outside of pipelines and configuration that a run needs. */
export async function preflight(
  session: Session,
  environment: Readonly<Record<string, string | undefined>>,
  python: boolean,
): Promise<readonly Check[]> {
  const { config, folder } = session;
  const checks = [
    checkState(session),
    Promise.resolve(checkChatModel(config)),
    checkSecrets(config, { environment, folder }),
    checkVectorIndex(session),
    checkServers(session),
    ...(python ? [checkPython(session, environment)] : []),
  ];
  return (await Promise.all(checks)).flat();
}

async function checkPython({ wired }: Session, environment: Readonly<Record<string, string | undefined>>): Promise<readonly Check[]> {
  const runtime = await wired.python();
  const built = runtime.locate();
  if (built !== null) return [{ subject: 'Python', found: `environment in ${built.folder}`, problem: null }];
  const { userCacheFolder } = await import('../workers/environment.ts');
  const cache = userCacheFolder(environment);
  const space = await checkSpace(
    'space for Python',
    cache,
    environmentBytes,
    'Free some space, or name another cache folder: XDG_CACHE_HOME=/other/place',
  );
  try {
    const python = await findPython(environment);
    const note = `The environment is built at the first use, in ${cache}: about 5 GB, a minute or two.`;
    return [{ subject: 'Python', found: `${python.executable}, version ${python.version}`, problem: null, note }, space];
  } catch (error) {
    if (error instanceof ProblemError) return [{ subject: 'Python', found: '', problem: error.problem }, space];
    throw error;
  }
}

async function checkState({ wired, config }: Session): Promise<readonly Check[]> {
  const { root } = wired.state;
  const space = await checkSpace('disk space', root, stateBytes, 'Free some space, or name another state folder: TWIN_STATE=/other/place');
  const nearest = await nearestFolder(root);
  if (!(await stat(nearest)).isDirectory()) {
    const hint = 'Move it away, or name another state folder: TWIN_STATE=/other/place';
    const problem = { reason: 'state-no-folder', message: `${root} cannot hold the state`, where: nearest, hint, exit: 2 } as const;
    return [failed('state', { ...problem, expected: 'a folder', found: 'something else of that name' })];
  }
  try {
    await access(nearest, constants.W_OK);
  } catch {
    const hint = 'Make it writable, or name another state folder: TWIN_STATE=/other/place';
    return [failed('state', { reason: 'state-not-writable', message: `${root} cannot be written`, where: root, hint, exit: 2 }), space];
  }
  // Each file on its own: one that was written by a newer twin, or is damaged, says so when it is first read.
  const reads = [
    ...(config.metadataStore.kind === 'sqlite'
      ? [async () => (await wired.journal()).get('runs', ['']), async () => (await wired.stores()).cache.get('runs', [''])]
      : []),
    async () => (await wired.ports.open('documentStore')).count(),
    ...(config.vectorIndex.kind === 'sqlite' ? [async () => (await wired.ports.open('vectorIndex')).alias(config.index)] : []),
  ];
  const problems: Check[] = [];
  for (const read of reads) {
    try {
      await read();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      problems.push(failed('state', error.problem));
    }
  }
  return [...(problems.length > 0 ? problems : [{ subject: 'state', found: root, problem: null }]), space];
}

function failed(subject: string, problem: Problem): Check {
  return { subject, found: '', problem };
}

async function checkSpace(subject: string, folder: string, needed: number, hint: string): Promise<Check> {
  const place = await nearestFolder(folder);
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  if (free >= needed) return { subject, found: `${gigabytes(free)} free for ${folder}`, problem: null };
  return {
    subject,
    found: '',
    problem: {
      reason: 'no-space',
      message: `Too little space is left for ${folder}`,
      where: place,
      expected: `${gigabytes(needed)} free`,
      found: `${gigabytes(free)} free`,
      hint,
      exit: 2,
    },
  };
}

/** The folder itself, or the nearest one above it that is there. */
async function nearestFolder(folder: string): Promise<string> {
  try {
    await access(folder);
    return folder;
  } catch {
    return dirname(folder) === folder ? folder : await nearestFolder(dirname(folder));
  }
}

/** Secrets that lie in the environment or in files are there; a command is run when its secret is needed. */
async function checkSecrets(config: Config, surroundings: SecretSurroundings): Promise<readonly Check[]> {
  const references = secretReferences(config);
  const checks = references.map(async ({ key, reference }): Promise<Check> => {
    const from = 'env' in reference ? reference.env : 'file' in reference ? reference.file : `the command ${reference.command[0]}`;
    const found = { subject: 'secrets', found: `${key} from ${from}`, problem: null };
    if ('command' in reference) return found;
    try {
      await secretReader(reference, key, surroundings)();
      return found;
    } catch (error) {
      if (error instanceof ProblemError) return failed('secrets', error.problem);
      throw error;
    }
  });
  return Promise.all(checks);
}

function checkChatModel({ chatModel }: Config): readonly Check[] {
  const found = chatModel.kind === 'none' ? 'none configured: ask shows passages' : `${chatModel.model} at ${chatModel.url}`;
  return [{ subject: 'chat model', found, problem: null }];
}

/** Whether a configured chat model answers at all; asked by doctor alone, as a run may not need it. */
export async function checkEndpoint({ chatModel }: Config): Promise<readonly Check[]> {
  if (chatModel.kind === 'none') return [];
  try {
    await fetch(`${chatModel.url.replace(/\/$/, '')}/models`, { signal: AbortSignal.timeout(endpointMs) });
    return [];
  } catch (error) {
    const found = error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error);
    return [
      {
        subject: 'chat model',
        found: '',
        problem: {
          reason: 'endpoint-unreachable',
          message: `${chatModel.url} does not answer`,
          where: 'chatModel.url',
          found,
          hint: 'Start the endpoint, or set chatModel.kind to none.',
          exit: 2,
        },
      },
    ];
  }
}
