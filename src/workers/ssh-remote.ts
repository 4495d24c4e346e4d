import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { sha256 } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';

/** Which machine, and how to get there. */
export interface RemoteOptions {
  readonly host: string;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly identityFile?: string | undefined;
  /** Folder for code, inputs and jobs; relative to the login folder. */
  readonly folder: string;
  /** The interpreter of an environment that has the workers' packages. */
  readonly python: string;
  /** Further options of ssh, as after `-o`. */
  readonly options: readonly string[];
}

/** A machine that is reached over ssh; nothing is kept open between calls. */
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
  startKeeper(attempt: string, seconds: number): Promise<void>;
  /** Copies what is in a folder there into one here, entry by entry, each whole or not at all. */
  fetchFolder(from: string, to: string): Promise<void>;
}

/** After a shared connection could not be opened, or broke, it is tried again this much later. */
const retryMasterMs = 15_000;

/** Opens nothing yet. */
export function openRemote(options: RemoteOptions, workersFolder: string): Remote {
  const { host, user, port, identityFile, python } = options;
  const place = user === undefined ? host : `${user}@${host}`;
  const shared = sharedConnection(host, (more) => spawn('ssh', [...connection(more), place], { stdio: 'ignore' }));
  const connection = (more: readonly string[]): string[] => [
    ...[
      'BatchMode=yes',
      'ConnectTimeout=10',
      'ServerAliveInterval=10',
      'ServerAliveCountMax=3',
      `ControlPath=${shared.socket}`,
      ...options.options,
      ...more,
    ].flatMap((one) => ['-o', one]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(identityFile === undefined ? [] : ['-i', identityFile]),
  ];
  const ssh = (script: string): ChildProcess => {
    shared.open();
    const args = [...connection(['ControlMaster=no']), place, script];
    return spawn('ssh', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  };
  const shell = (script: string, input = ''): Promise<string> => outputOf(ssh(script), input, host);
  let root: Promise<string> | undefined;
  let code: Promise<string> | undefined;
  const rootOf = (): Promise<string> => {
    root ??= shell(`mkdir -p ${quoted(options.folder)} && cd ${quoted(options.folder)} && pwd`).then((text) => text.trim());
    root.catch(() => (root = undefined));
    return root;
  };
  const codeFolder = (): Promise<string> => {
    code ??= shipCodeTo(shell, ssh, rootOf, workersFolder, host);
    code.catch(() => (code = undefined));
    return code;
  };
  const command = async (args: readonly string[]): Promise<string> =>
    `cd ${quoted(await codeFolder())} && exec ${quoted(python)} -m twin_workers ${args.map(quoted).join(' ')}`;

  return {
    root: rootOf,
    shell,
    python: async (args) => shell(await command(args)),
    pythonProcess: async (args) => ssh(await command(args)),
    shipCode: async () => void (await codeFolder()),
    async shipInput(path, name) {
      const target = `${await rootOf()}/inputs/${name}`;
      // The job says it better.
      if (!existsSync(path)) return target;
      if ((await shell(`test -e ${quoted(target)} && echo there || mkdir -p ${quoted(dirname(target))}`)).trim() === 'there') return target;
      await shipTar(ssh, ['-C', dirname(path), basename(path)], unpack(target, basename(path)), host);
      return target;
    },
    async startKeeper(attempt, seconds) {
      const log = quoted(`${attempt}/output.log`);
      const script = `cd ${quoted(await codeFolder())} && { PYTHONUNBUFFERED=1 PYTHONUTF8=1 nohup ${quoted(python)} -m twin_workers keep ${quoted(attempt)} </dev/null >>${log} 2>&1 & }
for i in $(seq ${seconds * 10}); do test -e ${quoted(`${attempt}/keeper.json`)} && exit 0; sleep 0.1; done; tail -n 20 ${log} >&2; exit 1`;
      await shell(script);
    },
    async fetchFolder(from, to) {
      const partial = `${to}.partial`;
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial, { recursive: true });
      const source = ssh(`tar -C ${quoted(from)} -cf - .`);
      source.stdin!.end();
      const target = spawn('tar', ['-C', partial, '-xf', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
      source.stdout!.pipe(target.stdin);
      // Where the connection broke, the unpacking breaks too, maybe first: the connection says why.
      const [sent, unpacked] = await Promise.allSettled([ended(source, host), ended(target, 'tar')]);
      for (const end of [sent, unpacked]) if (end.status === 'rejected') throw end.reason;
      for (const name of await readdir(partial)) {
        await rm(join(to, name), { recursive: true, force: true });
        await rename(join(partial, name), join(to, name));
      }
      await rm(partial, { recursive: true, force: true });
    },
  };
}

/**
 * One connection that all commands of a minute share, where it can be had: a handshake takes longer than most commands. It is opened
 * beside the first command and not waited for; commands that do not find it make their own.
 */
function sharedConnection(host: string, start: (options: readonly string[]) => ChildProcess): { readonly socket: string; open(): void } {
  const folder = join(tmpdir(), `twin-ssh-${userInfo().uid}-${process.pid}`);
  const socket = join(folder, sha256(host).slice(0, 8) + randomBytes(4).toString('hex'));
  let triedAt = -Infinity;
  return {
    socket,
    open() {
      if (existsSync(socket) || performance.now() - triedAt < retryMasterMs) return;
      triedAt = performance.now();
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const master = start(['ControlMaster=yes', 'ControlPersist=no', 'SessionType=none', 'StdinNull=yes']);
      master.on('error', () => {});
      master.unref();
      process.once('exit', () => {
        master.kill();
        rmSync(folder, { recursive: true, force: true });
      });
    },
  };
}

/** The code lies under the digest of all its files, so that jobs of two versions do not meet. */
async function shipCodeTo(
  shell: Remote['shell'],
  ssh: (script: string) => ChildProcess,
  root: () => Promise<string>,
  workersFolder: string,
  host: string,
): Promise<string> {
  const package_ = join(workersFolder, 'twin_workers');
  const files = (await readdir(package_, { recursive: true })).filter((name) => /\.(py|json)$/.test(name)).toSorted();
  const parts = await Promise.all(files.map(async (name) => `${name} ${sha256(await readFile(join(package_, name)))}`));
  const target = `${await root()}/code/${sha256(parts.join('\n')).slice(0, 16)}`;
  const found = await shell(`test -d ${quoted(target)} && echo there || mkdir -p ${quoted(dirname(target))}`);
  if (found.trim() === 'there') return target;
  await shipTar(ssh, ['-C', workersFolder, ...files.map((name) => `twin_workers/${name}`)], unpack(target, null), host);
  return target;
}

/** Unpacks a tar on standard input beside its target and renames it; one that is there already stays. */
function unpack(target: string, entry: string | null): string {
  const made = entry === null ? '"$draft"' : `"$draft"/${quoted(entry)}`;
  return [
    `draft=${quoted(`${dirname(target)}/.draft-`)}$$`,
    `mkdir -p "$draft" && tar -C "$draft" -xf - && { mv -T ${made} ${quoted(target)} 2>/dev/null || test -e ${quoted(target)}; }`,
    'code=$?; rm -rf "$draft"; exit $code',
  ].join('\n');
}

async function shipTar(ssh: (script: string) => ChildProcess, files: readonly string[], script: string, host: string): Promise<void> {
  const tar = spawn('tar', ['-cf', '-', ...files], { stdio: ['ignore', 'pipe', 'pipe'] });
  const target = ssh(script);
  tar.stdout.pipe(target.stdin!);
  target.stdin!.on('error', () => {}); // the exit code says it better
  const [packed, taken] = await Promise.allSettled([ended(tar, 'tar'), ended(target, host)]);
  for (const end of [taken, packed]) if (end.status === 'rejected') throw end.reason;
}

async function outputOf(child: ChildProcess, input: string, host: string): Promise<string> {
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdin!.on('error', () => {});
  child.stdin!.end(input);
  await ended(child, host);
  return output;
}

function ended(child: ChildProcess, host: string): Promise<void> {
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) return resolve();
      const unreachable = code === 255;
      reject(
        new ProblemError({
          reason: unreachable ? 'host-unreachable' : 'remote-failed',
          message: unreachable ? `${host} cannot be reached over ssh.` : `A command on ${host} ended with exit code ${code}.`,
          found: errors.trim().split('\n').slice(-5).join('\n') || 'no output',
          hint: unreachable ? `Try: ssh ${host} true` : 'Look at jobLauncher in the configuration: twin config show jobLauncher',
          exit: 1,
        }),
      );
    });
  });
}

/** A word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
