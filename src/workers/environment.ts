import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../contracts/digest.ts';
import { type PythonEnvironment, readEnvironment } from './installed-environment.ts';

/** Which environment is meant, and where environments are kept. */
export interface EnvironmentLocation {
  readonly lockFile: string;
  /** twin's folder in the user's cache. */
  readonly cacheFolder: string;
}

/** What building one may need besides. */
export interface EnvironmentOptions extends EnvironmentLocation {
  /** One line a stage, while an environment is built or waited for. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** The process environment that is searched for Python and uv. */
  readonly variables?: NodeJS.ProcessEnv;
}

/** twin's folder in the user's cache: `$XDG_CACHE_HOME/twin` or `~/.cache/twin`. */
export function userCacheFolder(variables: NodeJS.ProcessEnv = process.env): string {
  return join(variables['XDG_CACHE_HOME'] || join(variables['HOME'] || homedir(), '.cache'), 'twin');
}

/** The environment of a lock file if it has been built, else null; reads two files and starts nothing. */
export function locateEnvironment(location: EnvironmentLocation): PythonEnvironment | null {
  return readEnvironment(environmentFolder(location), lockDigest(location));
}

/** The environment of a lock file, built first where it is not there (25 seconds and 6 GB); throws a ProblemError where it cannot be. */
export async function pythonEnvironment(options: EnvironmentOptions): Promise<PythonEnvironment> {
  const located = locateEnvironment(options);
  if (located !== null) return located;
  const { buildEnvironment } = await import('./build-environment.ts');
  return await buildEnvironment(environmentFolder(options), lockDigest(options), options);
}

function environmentFolder(location: EnvironmentLocation): string {
  return join(location.cacheFolder, 'python', lockDigest(location).slice(0, 16));
}

function lockDigest(location: EnvironmentLocation): string {
  return sha256(readFileSync(location.lockFile));
}
