import { randomInt } from 'node:crypto';

/** Letters and digits that are not mistaken for one another. */
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A new run's id: its time in UTC, so that ids sort by age, and four random characters, as in `20261122-031542-k3f9`. */
export function newRunId(at: number): string {
  const time = new Date(at).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const suffix = Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `${time}-${suffix}`;
}
