import type { Holder } from '../contracts/run.ts';
import { cancellationsTable } from '../history/tables.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** How often a run looks whether somebody asked for its end. */
const lookEveryMs = 500;

/** Asks a run for its end, whatever process on whatever host it is in; it hears of that within a second. */
export async function requestCancel(store: MetadataStore, run: string, by: Holder): Promise<void> {
  await store.putMany(cancellationsTable, [{ key: run, expectedRevision: null, row: by, expiresInMs: 24 * 3_600_000 }]);
}

/** Forgets what was asked of a run that has ended. */
export async function forgetCancel(store: MetadataStore, run: string): Promise<void> {
  await store.putMany(cancellationsTable, [{ key: run, expectedRevision: null, row: null }]);
}

/** Looks for such a request until it finds one, or until it is told to stop. A store out of reach is asked again. */
export function watchCancel(store: MetadataStore, run: string, onCancel: (by: Holder) => void): () => void {
  let looking = false;
  let asked = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    store
      .get(cancellationsTable, [run])
      .then(([row]) => {
        if (!row) return;
        asked = true;
        clearInterval(timer);
        onCancel(row.row as unknown as Holder);
      })
      .catch(() => undefined)
      .finally(() => (looking = false));
  }, lookEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (asked) void forgetCancel(store, run).catch(() => undefined);
  };
}
