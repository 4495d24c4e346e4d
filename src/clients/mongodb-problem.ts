import { type Problem, ProblemError } from '../contracts/problem.ts';

/** Which MongoDB a message is about, and who named it. */
export interface MongoPlace {
  readonly url: string;
  /** `journal`, `documents`, …: what a message calls the content. */
  readonly subject: string;
  /** The key of the configuration that holds the URL: `metadataStore.url`. */
  readonly setting: string;
}

/** Codes of a server that is stepping down, starting or shutting down: the next primary takes the same operation. */
const notPrimaryCodes = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);
const networkNames = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoTopologyClosedError',
  'PoolClearedOnNetworkError',
  'MongoPoolClearedError',
  'MongoNotConnectedError',
  'MongoExpiredSessionError',
  'MongoWaitQueueTimeoutError',
  'MongoClientBulkWriteExecutionError',
]);

/** The numeric code of an error of the server, null for any other error. */
export function mongoCode(error: unknown): number | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : null;
}

/** The last cause of an error: a server selection that failed wraps what every server said. */
function rootOf(error: unknown): unknown {
  const cause = error instanceof Error ? (firstServerError(error) ?? error.cause) : undefined;
  return cause instanceof Error && cause !== error ? rootOf(cause) : error;
}

function firstServerError(error: Error): Error | null {
  const servers = (error as { reason?: { servers?: Map<string, { error?: Error | null }> } }).reason?.servers;
  if (!(servers instanceof Map)) return null;
  for (const { error: said } of servers.values()) if (said instanceof Error) return said;
  return null;
}

/** Whether the same operation may well succeed in a moment: the connection broke, nobody is primary, a majority did not answer in time. */
export function isPassingMongoError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isAuthentication(rootOf(error))) return false;
  // A bulk of which no operation failed by itself: the connection did, or the majority did not answer.
  if (error.name === 'MongoBulkWriteError' && [(error as { writeErrors?: unknown }).writeErrors ?? []].flat().length === 0) return true;
  // A socket that ended while a command was written comes as the error of the socket itself.
  if ('code' in error && typeof error.code === 'string' && /^(EPIPE|ECONN|ETIMEDOUT)/.test(error.code)) return true;
  if (networkNames.has(error.name) || labels(error).includes('RetryableWriteError')) return true;
  const code = mongoCode(error);
  if (code === 64 || error.name === 'MongoWriteConcernError') return true;
  return code !== null && notPrimaryCodes.has(code);
}

function labels(error: Error): readonly string[] {
  return 'errorLabels' in error && Array.isArray(error.errorLabels) ? (error.errorLabels as string[]) : [];
}

function isAuthentication(error: unknown): boolean {
  const code = mongoCode(error);
  return code === 18 || code === 8000 || (error instanceof Error && error.name === 'MongoMissingCredentialsError');
}

/** The hosts of a URL, without user, password and options. */
export function hostsOf(url: string): string {
  return /^mongodb(?:\+srv)?:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(url)?.[1] || 'the server';
}

/** A text without the URL and the credentials in it. */
function redacted(text: string, url: string): string {
  const userinfo = /^[^:]*:\/\/([^/?#]*)@/.exec(url)?.[1];
  const [user, password] = userinfo?.split(':') ?? [];
  const secrets = [url, userinfo, password, password && decoded(password), user].filter((secret) => secret !== undefined && secret !== '');
  return secrets.reduce<string>((shown, secret) => shown.replaceAll(secret!, '***'), text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The error itself, or a ProblemError around it where a user can act on it; no secret of the URL is in it. */
export function asMongoProblem(error: unknown, place: MongoPlace): unknown {
  if (error instanceof ProblemError || !(error instanceof Error)) return error;
  const problem = problemOf(error, place);
  return problem === null ? error : new ProblemError(problem, { cause: new Error(redacted(error.message, place.url)) });
}

function problemOf(error: Error, { url, subject, setting }: MongoPlace): Problem | null {
  const root = rootOf(error);
  const found = redacted(root instanceof Error ? root.message : String(root), url);
  const hosts = hostsOf(url);
  const place = { where: setting, found };
  if (isAuthentication(root)) {
    const hint = `Correct the user and the password in the URL that ${setting} names.`;
    return {
      reason: 'mongodb-authentication',
      message: `MongoDB at ${hosts} does not accept the user of the ${subject}`,
      ...place,
      hint,
      exit: 2,
    };
  }
  const code = mongoCode(error);
  if (code === 13) {
    const hint = 'Grant the user the role readWrite on that database.';
    return { reason: 'mongodb-unauthorized', message: `MongoDB at ${hosts} refuses the ${subject}`, ...place, hint, exit: 2 };
  }
  if (code === 20 || code === 40573) return noReplicaSet(hosts, setting, found);
  if (error.name === 'MongoParseError' || error.name === 'MongoInvalidArgumentError' || error.name === 'MongoAPIError') {
    const expected = 'mongodb://host:port/?replicaSet=name';
    return { reason: 'mongodb-url', message: `The URL of the ${subject} is none of MongoDB`, ...place, expected, exit: 2 };
  }
  if (error.name === 'MongoCompatibilityError') return wrongVersion(hosts, setting, found);
  if (code === 14031) {
    const hint = 'Free some space on the server and run again: nothing of the failed write was kept.';
    return { reason: 'disk-full', message: `MongoDB at ${hosts} has no space left to write the ${subject}`, ...place, hint, exit: 1 };
  }
  if (isPassingMongoError(error)) {
    const hint = `Start it, or correct ${setting}; what was not written is done again by the next run.`;
    return { reason: 'mongodb-unreachable', message: `MongoDB at ${hosts} does not answer`, ...place, hint, exit: 1 };
  }
  return null;
}

/** The problem of a server that is no member of a replica set, which has neither majorities nor change streams. */
export function noReplicaSet(hosts: string, setting: string, found: string): Problem {
  return {
    reason: 'mongodb-no-replica-set',
    message: `MongoDB at ${hosts} is not a replica set`,
    where: setting,
    expected: 'a replica set, if only of one member',
    found,
    hint: 'Start mongod with --replSet twin and initiate it once: mongosh --eval "rs.initiate()"',
    exit: 2,
  };
}

/** The problem of a server that is too old. */
export function wrongVersion(hosts: string, setting: string, found: string): Problem {
  return {
    reason: 'mongodb-version',
    message: `MongoDB at ${hosts} is too old`,
    where: setting,
    expected: 'version 6.0 or newer',
    found,
    hint: 'Upgrade the server, or name another one.',
    exit: 2,
  };
}
