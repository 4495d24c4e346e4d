import { randomInt } from 'node:crypto';

/** Digits and letters that are not mistaken for one another, in the order in which they sort. */
const alphabet = '23456789abcdefghjkmnpqrstuvwxyz';

/**
 * A new run's id, as in `20261122-031542-k3f9`: its second in UTC, two characters for the millisecond within it, so that ids sort by
 * age, and two random ones.
 */
export function newRunId(at: number): string {
  const time = new Date(at).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const base = alphabet.length;
  // Two characters count to 961, which is near enough to a thousand.
  const within = Math.floor(((((at % 1000) + 1000) % 1000) / 1000) * base * base);
  const digits = [Math.floor(within / base), within % base, randomInt(base), randomInt(base)];
  return `${time}-${digits.map((digit) => alphabet[digit]).join('')}`;
}
