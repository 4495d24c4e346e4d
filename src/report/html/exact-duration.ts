import { duration } from '../quantities.ts';

/** A length of time, in milliseconds where it is short: `7 ms`, `480 ms`, `1.2 s`. */
export function exactDuration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : duration(milliseconds);
}
