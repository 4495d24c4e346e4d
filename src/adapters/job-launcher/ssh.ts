import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256 } from '../../contracts/digest.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { JobLauncher } from '../../ports/job-launcher.ts';
import { ExitRecord, KeeperRecord } from '../../contracts/worker-protocol.ts';
import { type AttemptStatus, attemptRequest, attemptStatus } from '../../workers/attempt-folder.ts';
import { type AttemptLauncherOptions, type AttemptPlace, attemptLauncher } from '../../workers/attempt-launcher.ts';
import { followAttempt } from '../../workers/follow-attempt.ts';
import { jobCodeDigest } from '../../workers/job-code.ts';
import { shellWord } from '../../workers/shell-word.ts';
import { type RemoteOptions, openRemote } from '../../workers/ssh-remote.ts';
import { mirrorAttempt } from '../../workers/ssh-mirror.ts';
import { existsSync } from 'node:fs';

/** How to launch jobs on another machine. */
export interface SshJobLauncherOptions extends AttemptLauncherOptions {
  /** Folder of the package `twin_workers`. */
  readonly workersFolder: string;
  readonly remote: RemoteOptions;
}

/** How long a keeper has to claim its attempt. */
const claimSeconds = 30;

/**
 * Runs jobs on another machine over ssh: code, inputs and request are shipped once, the keeper there holds the job as one here would,
 * and what it says is mirrored into the attempt's folder here, over as many connections as it takes. A machine that cannot be reached
 * says nothing about its jobs: they count as running.
 */
export function sshJobLauncher(options: SshJobLauncherOptions): JobLauncher {
  const { workersFolder } = options;
  const remote = openRemote(options.remote, workersFolder);
  const marker = (folder: string) => join(folder, 'remote.json');
  const there = async (folder: string) => `${await remote.root()}/jobs/${basename(dirname(dirname(folder)))}/attempts/${basename(folder)}`;

  const status = async (folder: string): Promise<AttemptStatus> => {
    const here = await attemptStatus(folder);
    if (here.state === 'ended' || !existsSync(marker(folder))) return here;
    const answer = await remote.python(['status', await there(folder)]).catch(() => null);
    if (answer === null) return unreachable;
    return statusFrom(JSON.parse(answer), here);
  };

  const place: AttemptPlace = {
    identity: (job) => jobCodeDigest(workersFolder, job),
    prepare: () => remote.shipCode(),
    status,
    async start(folder) {
      await remote.shipCode();
      const target = await there(folder);
      const request = await attemptRequest(folder);
      const inputs: Record<string, string> = {};
      for (const [name, path] of Object.entries(request.inputs)) inputs[name] = await remote.shipInput(path, sha256(path));
      const outputs = Object.fromEntries(Object.keys(request.outputs).map((name) => [name, `${target}/outputs/${name}`]));
      const shipped = { ...request, inputs, outputs, checkpoints: `${dirname(dirname(target))}/checkpoints` };
      await remote.shell(claimScript(target), JSON.stringify(shipped));
      await writeFile(marker(folder), JSON.stringify({ folder: target }));
      // Of two keepers one claims the attempt, so that starting one too many is harmless.
      await remote.startKeeper(target, claimSeconds);
      return true;
    },
    async *follow(folder, follow) {
      const mirror = mirrorAttempt(remote, folder, await there(folder));
      const abort = () => mirror.stop();
      follow.signal.addEventListener('abort', abort, { once: true });
      try {
        yield* followAttempt(folder, { ...follow, renewalMs: null, status: async () => (await mirrored(folder)) ?? mirror.status() });
      } finally {
        follow.signal.removeEventListener('abort', abort);
        mirror.stop();
      }
    },
    async command(folder, line) {
      await remote.shell(`cat >> ${shellWord(`${await there(folder)}/commands.jsonl`)}`, line);
      // Kept here too, for its number.
      await writeFile(join(folder, 'commands.jsonl'), line, { flag: 'a' });
    },
    async fetch(folder) {
      const request = await attemptRequest(folder);
      const exit = ExitRecord.safeParse(await readFile(join(folder, 'exit.json'), 'utf8').then(JSON.parse, () => null)).data;
      if (exit?.code !== 0 || Object.values(request.outputs).every((path) => existsSync(path))) return;
      await remote.fetchFolder(`${await there(folder)}/outputs`, join(folder, 'outputs'));
    },
  };
  const fetched = (folder: string): Promise<boolean> =>
    place.fetch(folder).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ProblemError && error.problem.reason === 'host-unreachable') return false;
        throw error;
      },
    );
  const fetchVerdict = async (folder: string): Promise<AttemptStatus> => {
    const found = await status(folder);
    // An end that nobody followed is written down here as the mirror would have.
    if (found.state === 'ended' && !existsSync(join(folder, 'exit.json'))) {
      await mirrorAttempt(remote, folder, await there(folder)).finished;
    }
    // An end whose outputs cannot be had yet is no end yet.
    return found.state === 'ended' && !(await fetched(folder)) ? unreachable : found;
  };
  return attemptLauncher(options, { ...place, status: fetchVerdict });
}

const unreachable: AttemptStatus = { state: 'running', keeper: { pid: 1, start: 'unreachable', bootId: '', nonce: '', worker: null } };

async function mirrored(folder: string): Promise<AttemptStatus | null> {
  const here = await attemptStatus(folder);
  return here.state === 'ended' ? here : null;
}

function statusFrom(
  answer: { readonly state: string; readonly keeper?: unknown; readonly exit?: unknown },
  here: AttemptStatus,
): AttemptStatus {
  switch (answer.state) {
    case 'running':
      return { state: 'running', keeper: KeeperRecord.parse(answer.keeper) };
    case 'ended':
      return { state: 'ended', exit: ExitRecord.parse(answer.exit) };
    case 'lost':
      return { state: 'lost' };
    default:
      return here;
  }
}

/** Puts the request on standard input into a new attempt folder, whole or not at all; one that is there stays. */
function claimScript(target: string): string {
  return [
    `test -d ${shellWord(target)} && exit 0`,
    `draft=${shellWord(`${dirname(target)}/.draft-`)}$$`,
    `mkdir -p "$draft/outputs" ${shellWord(`${dirname(dirname(target))}/checkpoints`)}`,
    `cat > "$draft/request.json" && printf '{}' > "$draft/lease.json"`,
    `mv -T "$draft" ${shellWord(target)} 2>/dev/null || { rm -rf "$draft"; test -d ${shellWord(target)}; }`,
  ].join('\n');
}
