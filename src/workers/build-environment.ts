import { mkdir, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Options } from 'execa';
import { ProblemError } from '../contracts/problem.ts';
import { withBuildLock } from './build-lock.ts';
import type { EnvironmentOptions } from './environment.ts';
import { findPython } from './find-python.ts';
import { findUv } from './find-uv.ts';
import { type PythonEnvironment, readEnvironment } from './installed-environment.ts';

/** Bytes that an environment with CUDA needs, as measured, and some room. */
const neededBytes = 6e9;

/**
 * Builds an environment beside its folder and renames it into place, so that a half-built one is never seen;
 * of several processes of twin one builds, and the others wait for it.
 */
export async function buildEnvironment(folder: string, digest: string, options: EnvironmentOptions): Promise<PythonEnvironment> {
  const progress = options.onProgress ?? (() => {});
  await mkdir(dirname(folder), { recursive: true });
  return await withBuildLock(`${folder}.lock`, { onWait: progress, ...(options.signal && { signal: options.signal }) }, async () => {
    const built = readEnvironment(folder, digest);
    if (built !== null) return built;
    await removeUnfinished(folder);
    await checkSpace(options.cacheFolder);
    const variables = buildVariables(options.variables ?? process.env);
    const python = await findPython(variables);
    const uv = await findUv({ cacheFolder: options.cacheFolder, python, variables, progress });
    const building = `${folder}.building-${process.pid}`;
    progress('Building the Python environment (about 5 GB and a minute or two, once)');
    const run = runner(variables, progress, options.signal);
    await run(uv, ['venv', '--quiet', '--relocatable', '--no-project', '--python', python.executable, building]);
    await run(uv, installArguments(join(building, 'bin', 'python'), options.lockFile));
    await writeFile(join(building, 'ready.json'), JSON.stringify({ lock: digest, python: python.version }));
    await rename(building, folder);
    progress('The Python environment is ready');
    return readEnvironment(folder, digest)!;
  });
}

function installArguments(python: string, lockFile: string): string[] {
  // Without bytecode each later start would compile thousands of modules again wherever the environment is read-only.
  return ['pip', 'install', '--no-progress', '--python', python, '--compile-bytecode', '--require-hashes', '-r', lockFile];
}

/** What is left of builds that died, and an environment whose interpreter is gone. */
async function removeUnfinished(folder: string): Promise<void> {
  const siblings = await readdir(dirname(folder));
  const unfinished = siblings.filter((name) => name.startsWith(`${basename(folder)}.building-`));
  await Promise.all(
    [folder, ...unfinished.map((name) => join(dirname(folder), name))].map((path) => rm(path, { recursive: true, force: true })),
  );
}

async function checkSpace(cacheFolder: string): Promise<void> {
  const disk = await statfs(cacheFolder);
  const problem = spaceProblem(cacheFolder, disk.bavail * disk.bsize);
  if (problem !== null) throw new ProblemError(problem);
}

/** The problem of a disk with too little free space for an environment, null where there is enough. */
export function spaceProblem(cacheFolder: string, freeBytes: number): ProblemError['problem'] | null {
  if (freeBytes >= neededBytes) return null;
  return {
    reason: 'no-space',
    message: `There is too little free space for the Python environment in ${cacheFolder}.`,
    expected: gigabytes(neededBytes),
    found: gigabytes(freeBytes),
    hint: 'Free some space, or set XDG_CACHE_HOME to a folder on a larger disk, and run the same command again.',
    exit: 2,
  };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** The process environment without what would bend a build: no other environment, no paths, and bytecode is written. */
function buildVariables(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const bent = new Set(['PYTHONDONTWRITEBYTECODE', 'PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV', 'CONDA_PREFIX']);
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !bent.has(name)));
}

function runner(variables: NodeJS.ProcessEnv, progress: (line: string) => void, signal: AbortSignal | undefined) {
  return async (command: string, commandArguments: string[]): Promise<void> => {
    const options = {
      env: variables,
      extendEnv: false,
      all: true,
      reject: false,
      buffer: false,
      ...(signal && { cancelSignal: signal }),
    } as const satisfies Options;
    const lines: string[] = [];
    const child = execa(command, commandArguments, options);
    for await (const line of child.iterable({ from: 'all' })) {
      lines.push(line);
      // Not each of seventy packages.
      if (!line.startsWith(' ')) progress(line);
    }
    const result = await child;
    signal?.throwIfAborted();
    if (result.failed) throw new ProblemError(buildProblem([command, ...commandArguments].join(' '), lines));
  };
}

function buildProblem(command: string, lines: readonly string[]): ProblemError['problem'] {
  return {
    reason: 'environment-failed',
    message: 'The Python environment could not be built.',
    found: lines.slice(-20).join('\n') || 'no output',
    hint: `Run the same command again; the build failed at: ${command}`,
    exit: 2,
  };
}
