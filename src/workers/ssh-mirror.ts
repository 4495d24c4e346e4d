import type { ChildProcess } from 'node:child_process';
import { open, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { ExitRecord } from '../contracts/worker-protocol.ts';
import type { AttemptStatus } from './attempt-folder.ts';
import type { Remote } from './ssh-remote.ts';

/** A connection over which nothing has come for so long is cut: the other side says something every two seconds. */
const silenceMs = 20_000;
const longestPauseMs = 5000;

/** Mirrors what an attempt on another machine says. */
export interface Mirror {
  /** Where the attempt stands, as far as it was told. */
  status(): AttemptStatus;
  /** Resolves once the attempt has ended or was lost, or the mirror was stopped. */
  readonly finished: Promise<void>;
  stop(): void;
}

type Message =
  | { readonly events: number; readonly text: string }
  | { readonly log: string }
  | { readonly beat: string }
  | { readonly end: { readonly state: string; readonly exit?: unknown } };

/**
 * Copies events, log and verdict of an attempt into its folder here, until it has ended. A connection that breaks is made again, from
 * where the copy ends. Bytes are written at the place they have over there, so that two processes that mirror the same attempt agree.
 */
export function mirrorAttempt(remote: Remote, folder: string, there: string): Mirror {
  let state: AttemptStatus = { state: 'running', keeper: { pid: 1, start: 'remote', bootId: '', nonce: '', worker: null } };
  const told = { stopped: false, over: false };
  let child: ChildProcess | null = null;

  const take = async (message: Message): Promise<void> => {
    if ('events' in message) return writeAt(join(folder, 'events.jsonl'), message.events, message.text);
    if ('log' in message) return writeFile(join(folder, 'output.log'), Buffer.from(message.log, 'base64'));
    if (!('end' in message)) return;
    told.over = true;
    if (message.end.state === 'ended') {
      const exit = ExitRecord.parse(message.end.exit);
      await writeFile(join(folder, 'exit.json.new'), JSON.stringify(exit));
      await rename(join(folder, 'exit.json.new'), join(folder, 'exit.json'));
      state = { state: 'ended', exit };
    } else state = { state: 'lost' };
  };

  const connect = async (): Promise<void> => {
    const offset = await stat(join(folder, 'events.jsonl')).then(
      ({ size }) => size,
      () => 0,
    );
    const process_ = await remote.pythonProcess(['relay', there, '--offset', String(offset)]);
    child = process_;
    if (told.stopped) process_.kill();
    process_.on('error', () => {});
    process_.stdin!.on('error', () => {});
    let timer = setTimeout(() => process_.kill(), silenceMs);
    try {
      for await (const line of createInterface({ input: process_.stdout! })) {
        clearTimeout(timer);
        timer = setTimeout(() => process_.kill(), silenceMs);
        await take(JSON.parse(line) as Message);
      }
    } catch {
      // Half a line: the connection broke.
    } finally {
      clearTimeout(timer);
      process_.kill();
    }
  };

  const finished = (async () => {
    let pauseMs = 100;
    while (!told.stopped && !told.over) {
      const before = performance.now();
      await connect().catch(() => {});
      // One that held for a while was a good one.
      pauseMs = performance.now() - before > 10_000 ? 100 : Math.min(longestPauseMs, pauseMs * 2);
      if (!told.stopped && !told.over) await delay(pauseMs);
    }
  })();
  return {
    status: () => state,
    finished,
    stop() {
      told.stopped = true;
      child?.kill();
    },
  };
}

async function writeAt(path: string, offset: number, text: string): Promise<void> {
  const file = await open(path, 'a').then(async (created) => {
    await created.close();
    return open(path, 'r+');
  });
  try {
    await file.write(Buffer.from(text, 'ascii'), 0, text.length, offset);
  } finally {
    await file.close();
  }
}
