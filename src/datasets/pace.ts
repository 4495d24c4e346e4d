import { setImmediate } from 'node:timers/promises';

/**
 * Lets heartbeats, signals and events through in between pieces of long work: `await pace()` after each piece.
 * Gives way where `everyMs` milliseconds have passed since it last did.
 */
export function pacer(everyMs = 20): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < everyMs) return;
    await setImmediate();
    since = performance.now();
  };
}
