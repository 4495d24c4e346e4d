import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An installed Python environment: that of exactly one `requirements.lock`. */
export interface PythonEnvironment {
  readonly folder: string;
  /** The interpreter. */
  readonly python: string;
  /** Where the packages lie. */
  readonly sitePackages: string;
}

/** An environment that has been finished, as the marker written last in its folder says. */
export function readEnvironment(folder: string, digest: string): PythonEnvironment | null {
  const marker = readMarker(join(folder, 'ready.json'));
  if (marker === null || marker.lock !== digest) return null;
  const python = join(folder, 'bin', 'python');
  // The interpreter is a link to the one that made the environment, which may have been removed since.
  if (!existsSync(python)) return null;
  const minor = marker.python.split('.').slice(0, 2).join('.');
  return { folder, python, sitePackages: join(folder, 'lib', `python${minor}`, 'site-packages') };
}

/** `ready.json`: the sha256 of the lock file, and the version of Python. */
interface Marker {
  readonly lock: string;
  readonly python: string;
}

function readMarker(path: string): Marker | null {
  try {
    const marker = JSON.parse(readFileSync(path, 'utf8')) as Partial<Marker>;
    return typeof marker.lock === 'string' && typeof marker.python === 'string' ? { lock: marker.lock, python: marker.python } : null;
  } catch {
    return null;
  }
}
