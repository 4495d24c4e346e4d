import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { workersTable, workerLeaseMs, writeWorker } from '../engine/dispatch/tables.ts';
import type { HeartbeatData, HeartbeatMessage, HeartbeatOrder } from './worker-lease.ts';
import { wire } from './wire.ts';

// A thread of its own: a step that keeps the event loop of its worker busy does not lose the lease, and a dead process does.
const { id, row, config, folder, environment } = workerData as HeartbeatData;
const wired = wire({ config, folder, environment, progress: () => undefined, writes: 'everything' });
const store = await wired.journal();
const stopping = new AbortController();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
const say = (message: HeartbeatMessage): void => parentPort!.postMessage(message);
let { holds } = row;
parentPort!.on('message', (order: HeartbeatOrder) => {
  if (order.type === 'stop') stopping.abort();
  else holds = order.items;
});

let revision = 0;
while (!stopping.signal.aborted) {
  try {
    const outcome = await writeWorker(store, id, revision, { ...row, holds });
    if (!outcome.ok) {
      say({ type: 'lost' });
      break;
    }
    if (revision === 0) say({ type: 'alive' });
    revision = outcome.revision;
  } catch (error) {
    // A store that is away for a moment is asked again; whether the lease outlived that, the revision tells.
    if (revision === 0) {
      say({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
      break;
    }
  }
  await delay(workerLeaseMs / 3, undefined, { signal: stopping.signal }).catch(() => undefined);
}
// Whoever waits for this worker's attempts need not wait for the lease to run out.
if (stopping.signal.aborted && revision > 0)
  await store.putMany(workersTable, [{ key: id, expectedRevision: revision, row: null }]).catch(() => undefined);
await wired.dispose();
parentPort!.close();
