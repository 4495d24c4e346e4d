import type { Timestamp } from 'mongodb';

/** Changes within one second that have a version of their own: the server gives no more. */
const changesASecond = 2 ** 20;

/** The version that a timestamp of the cluster is: seconds and increment in one safe integer, ordered as they are. */
export function versionOf({ t, i }: Pick<Timestamp, 't' | 'i'>): number {
  const version = t * changesASecond + i;
  if (i >= changesASecond || !Number.isSafeInteger(version)) throw new RangeError(`The timestamp (${t}, ${i}) is no version`);
  return version;
}

/** Milliseconds since 1970 that a version stands for, to the second. */
export function millisecondsOf(version: number): number {
  return Math.floor(version / changesASecond) * 1000;
}

/** The time in a resume token, as a version: its first nine bytes are the type of a timestamp and the timestamp. */
export function tokenVersion(token: string): number {
  const [, seconds, increment] = /^82([0-9A-F]{8})([0-9A-F]{8})/i.exec(token) ?? [];
  if (seconds === undefined || increment === undefined) throw new RangeError(`${token.slice(0, 40)} is no resume token`);
  return versionOf({ t: Number.parseInt(seconds, 16), i: Number.parseInt(increment, 16) });
}
