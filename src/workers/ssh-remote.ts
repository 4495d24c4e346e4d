import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../contracts/digest.ts';
import { shellWord } from './shell-word.ts';
import { type SshConnection, type SshTarget, sshConnection } from './ssh-connection.ts';
import { fetchFolder, shipEntry, shipFiles } from './ssh-transfer.ts';

/** Which machine, how to get there, and where workers find themselves there. */
export interface RemoteOptions extends SshTarget {
  /** Folder for code, inputs and jobs; relative to the login folder. */
  readonly folder: string;
  /** The interpreter of an environment that has the workers' packages. */
  readonly python: string;
}

/** A machine that runs workers, reached over ssh. */
export interface Remote {
  /** The folder, as an absolute path. */
  root(): Promise<string>;
  /** Runs a shell script there and returns what it prints. */
  shell(script: string, input?: string): Promise<string>;
  /** Runs `python -m twin_workers` there. */
  python(args: readonly string[]): Promise<string>;
  /** The same, as a process that is talked to. */
  pythonProcess(args: readonly string[]): Promise<ChildProcess>;
  shipCode(): Promise<void>;
  /** Copies a file or folder there once, under a name; returns where it is. */
  shipInput(path: string, name: string): Promise<string>;
  /** Starts the keeper of an attempt and waits until it has claimed it. */
  startKeeper(attempt: string, seconds: number): Promise<void>;
  /** Copies what is in a folder there into one here, entry by entry, each whole or not at all. */
  fetchFolder(from: string, to: string): Promise<void>;
}

/** Opens nothing yet. */
export function openRemote(options: RemoteOptions, workersFolder: string): Remote {
  const connection = sshConnection(options);
  const { shell } = connection;
  const python = shellWord(options.python);
  const folder = shellWord(options.folder);
  const root = onceDone(async () => (await shell(`mkdir -p ${folder} && cd ${folder} && pwd`)).trim());
  const codeFolder = onceDone(async () => shipCode(connection, await root(), workersFolder));
  const command = async (args: readonly string[]): Promise<string> =>
    `cd ${shellWord(await codeFolder())} && exec ${python} -m twin_workers ${args.map(shellWord).join(' ')}`;

  return {
    root,
    shell,
    python: async (args) => shell(await command(args)),
    pythonProcess: async (args) => connection.start(await command(args)),
    shipCode: async () => void (await codeFolder()),
    async shipInput(path, name) {
      const target = `${await root()}/inputs/${name}`;
      // The job says it better.
      if (existsSync(path) && !(await isThere(connection, target))) await shipEntry(connection, path, target);
      return target;
    },
    async startKeeper(attempt, seconds) {
      const log = shellWord(`${attempt}/output.log`);
      const script = `cd ${shellWord(await codeFolder())} && { PYTHONUNBUFFERED=1 PYTHONUTF8=1 nohup ${python} -m twin_workers keep ${shellWord(attempt)} </dev/null >>${log} 2>&1 & }
for i in $(seq ${seconds * 10}); do test -e ${shellWord(`${attempt}/keeper.json`)} && exit 0; sleep 0.1; done; tail -n 20 ${log} >&2; exit 1`;
      await shell(script);
    },
    fetchFolder: (from, to) => fetchFolder(connection, from, to),
  };
}

/** Done once; one that failed is tried again when it is asked for again. */
function onceDone<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    made.catch(() => (made = undefined));
    return made;
  };
}

/** Whether a path is there already; where it is not, the folder that will hold it is made. */
async function isThere({ shell }: SshConnection, target: string): Promise<boolean> {
  const found = await shell(`test -e ${shellWord(target)} && echo there || mkdir -p ${shellWord(dirname(target))}`);
  return found.trim() === 'there';
}

/** The code lies under the digest of all its files, so that jobs of two versions do not meet. */
async function shipCode(connection: SshConnection, root: string, workersFolder: string): Promise<string> {
  const names = await readdir(join(workersFolder, 'twin_workers'), { recursive: true });
  const files = [
    ...names.filter((name) => /\.(py|json)$/.test(name)).map((name) => `twin_workers/${name}`),
    'requirements.lock',
  ].toSorted();
  const parts = await Promise.all(files.map(async (name) => `${name} ${sha256(await readFile(join(workersFolder, name)))}`));
  const target = `${root}/code/${sha256(parts.join('\n')).slice(0, 16)}`;
  if (!(await isThere(connection, target))) await shipFiles(connection, workersFolder, files, target);
  return target;
}
