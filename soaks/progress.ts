import { duration } from '../src/report/quantities.ts';
import type { Progress } from './soak.ts';

const everyMs = 10_000;

/**
 * Tells every ten seconds how far a seed is, also where nothing has ended since: `runs killed: 12 of 96, about 3 min left; the last one ended 14 s ago`
 * is what tells a long case from one that hangs.
 */
export function progressLines(say: (line: string) => void): { readonly hear: Progress; readonly end: () => void } {
  const startedAt = performance.now();
  let at = { part: '', done: 0, all: 0, since: startedAt, last: startedAt };
  const hear: Progress = (part, done, all) => {
    at = { part, done, all, since: at.part === part ? at.since : at.last, last: performance.now() };
  };
  const timer = setInterval(() => {
    const { part, done, all, since, last } = at;
    const silent = `the last one ended ${duration(performance.now() - last)} ago`;
    const left = `about ${duration(((last - since) / done) * (all - done))} left`;
    say(done === 0 ? `nothing has ended for ${duration(performance.now() - last)}` : `${part}: ${done} of ${all}, ${left}; ${silent}`);
  }, everyMs);
  return { hear, end: () => clearInterval(timer) };
}
