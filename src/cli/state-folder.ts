import { resolve } from 'node:path';

/** Where everything that twin keeps lies. */
export interface StateFolder {
  readonly root: string;
  /** The journal: runs, models, ledger, cursors. */
  readonly journal: string;
  /** Results of rows and embeddings; may be emptied. */
  readonly cache: string;
  readonly documents: string;
  readonly index: string;
  readonly artifacts: string;
  /** A folder a Python job. */
  readonly jobs: string;
  /** What each run said, a file a run. */
  readonly logs: string;
  /** A page of HTML a run. */
  readonly reports: string;
}

/** The places within a state folder, as the configuration names it, relative to where twin was started. */
export function stateFolder(state: string, from: string): StateFolder {
  const root = resolve(from, state);
  const at = (name: string) => resolve(root, name);
  return {
    root,
    journal: at('state.db'),
    cache: at('cache.db'),
    documents: at('documents.db'),
    index: at('index.db'),
    artifacts: at('artifacts'),
    jobs: at('jobs'),
    logs: at('logs'),
    reports: at('reports'),
  };
}
