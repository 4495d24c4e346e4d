import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { plainPython } from '../plain-python.ts';
import { servicesFolder } from './find-binary.ts';
import { freePort, type ServerProcess, startServer } from './server-process.ts';

/** What goes wrong with calls to come whose method and path match. */
export interface QdrantFault {
  /** A regular expression over `POST /collections/g/points/batch`. */
  readonly match: string;
  /** How many calls are hit. */
  readonly times: number;
  readonly delayMs?: number;
  /** Answer with this status, and do nothing. */
  readonly status?: number;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Close the connection without an answer: before anything was done, or after all was done. */
  readonly drop?: 'before' | 'after';
  /** Say something else in each result. */
  readonly result?: Readonly<Record<string, unknown>>;
}

/** The REST calls of Qdrant over its real engine, without the server around it. */
export interface StartedQdrant extends ServerProcess {
  readonly url: string;
  /** Replaces the faults of calls to come. */
  faults(faults: readonly QdrantFault[]): Promise<void>;
}

const engine = join(servicesFolder, 'qdrant-edge');

/** Whether this machine has Qdrant's engine and a Python to run it: `bash scripts/test-services.sh` installs it. */
export function hasQdrantEngine(): boolean {
  return existsSync(engine) && plainPython() !== null;
}

/** Starts the calls of Qdrant over its engine, with its collections in `folder`. */
export async function startQdrant(folder: string, environment: Readonly<Record<string, string>> = {}): Promise<StartedQdrant> {
  const port = await freePort();
  await mkdir(folder, { recursive: true });
  const script = join(import.meta.dirname, 'qdrant_shim.py');
  const args = [script, `${port}`, join(folder, 'collections'), engine];
  const server = await startServer({ binary: plainPython()!, args, port, folder, environment });
  const url = `http://127.0.0.1:${port}`;
  return {
    ...server,
    url,
    async faults(faults) {
      await fetch(`${url}/faults`, { method: 'POST', body: JSON.stringify(faults) });
    },
  };
}
