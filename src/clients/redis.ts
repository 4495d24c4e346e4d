import type { Redis, RedisOptions } from 'ioredis';
import { type Problem, ProblemError } from '../contracts/problem.ts';

/** Which Redis a message is about, and who named it. */
export interface RedisPlace {
  readonly url: string;
  /** The key of the configuration that holds the URL: `workQueue.url`. */
  readonly setting: string;
}

const answerMs = 5000;

/** A connection whose commands fail at once while the server is away. */
export async function impatientRedis({ url }: RedisPlace, options: RedisOptions = {}): Promise<Redis> {
  const { Redis: Client } = await import('ioredis');
  const client = new Client(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: answerMs,
    commandTimeout: answerMs,
    retryStrategy: (times) => Math.min(50 * 2 ** times, 1000),
    ...options,
  });
  // Whoever sends a command hears of the failure; without a listener it would end the process.
  client.on('error', () => undefined);
  return client;
}

/** A connection whose commands wait until the server is back, as a consumer needs it; `end` ends it and every duplicate, whatever state they are in. */
export async function patientRedis({ url }: RedisPlace): Promise<{ readonly client: Redis; readonly end: () => void }> {
  const { Redis: Client } = await import('ioredis');
  let ended = false;
  const client = new Client(url, {
    lazyConnect: true,
    maxRetriesPerRequest: null,
    connectTimeout: answerMs,
    retryStrategy: (times) => (ended ? null : Math.min(50 * 2 ** times, 1000)),
  });
  const all: Redis[] = [];
  const keep = (one: Redis): Redis => {
    all.push(one);
    return one.on('error', () => undefined);
  };
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (options) => keep(duplicate(options));
  keep(client);
  const end = (): void => {
    ended = true;
    for (const one of all) {
      // Between two tries there is nothing to disconnect from, and whoever waits would never hear of the end: the next try is the last.
      if (one.status === 'reconnecting') one.once('connect', () => one.disconnect());
      else one.disconnect();
    }
  };
  return { client, end };
}

/** Connects, and makes sure that the server keeps what it is given: a queue on an evicting Redis loses work without a word. */
export async function connectQueueRedis(client: Redis, place: RedisPlace): Promise<void> {
  let memory: string;
  let cause: unknown = null;
  const hear = (error: Error): void => void (cause = error);
  client.on('error', hear);
  try {
    if (client.status === 'wait') await client.connect();
    memory = await client.info('memory');
  } catch (error) {
    // What a command says is only that there is no connection.
    throw asRedisProblem(cause ?? error, place);
  } finally {
    client.off('error', hear);
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy === undefined || policy === 'noeviction') return;
  throw new ProblemError({
    reason: 'redis-evicts',
    message: `Redis at ${hostOf(place.url)} throws keys away when its memory is full`,
    where: place.setting,
    expected: 'maxmemory-policy noeviction',
    found: `maxmemory-policy ${policy}`,
    hint: 'Set it: redis-cli config set maxmemory-policy noeviction (and in redis.conf), or name another server.',
    exit: 2,
  });
}

/** Host and port of a URL, without user and password. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the server';
}

/** The error itself, or a ProblemError around it where a user can act on it. */
export function asRedisProblem(error: unknown, { url, setting }: RedisPlace): unknown {
  if (error instanceof ProblemError || !(error instanceof Error)) return error;
  const found = error.message || ((error as { code?: string }).code ?? error.name);
  const host = hostOf(url);
  const place = { where: setting, found };
  const said = (problem: Omit<Problem, 'where' | 'found'>) => new ProblemError({ ...problem, ...place }, { cause: error });
  if (/WRONGPASS|NOAUTH|NOPERM|invalid password/i.test(found)) {
    const hint = `Correct the user and the password in the URL that ${setting} names.`;
    return said({ reason: 'redis-authentication', message: `Redis at ${host} does not accept the user`, hint, exit: 2 });
  }
  if (/OOM command not allowed/.test(found)) {
    const hint = 'Raise its maxmemory. Nothing is lost: what could not be queued is queued again from the journal.';
    return said({ reason: 'redis-full', message: `Redis at ${host} has no memory left`, hint, exit: 1 });
  }
  const hint = `Start it, or correct ${setting}. Nothing is lost: what is queued is queued again from the journal.`;
  return said({ reason: 'redis-unreachable', message: `Redis at ${host} does not answer`, hint, exit: 2 });
}
