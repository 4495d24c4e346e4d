/** The stream that holds the truth about a run. */
export function runStream(run: string): string {
  return `run/${run}`;
}

/** Index of runs by id: RunSummary. Derived. */
export const runsTable = 'runs';
/** Runs that have begun and not finished, by id. Derived. */
export const openRunsTable = 'open-runs';
/** Results by key: StepResult. Derived. */
export const resultsTable = 'step-results';
/** `<artifact digest>/<step key>`: which steps made an artifact. Derived. */
export const producersTable = 'producers';
/** The key of the newest result at each address, by pipeline: LatestKeys, one row as most of them are read together. Derived. */
export const latestTable = 'latest-results';
/** `<signature>/<run>/<step>`: failures by what was wrong. Derived. */
export const failuresTable = 'failures';
/** Commits of effects by target and step: itself the truth. */
export const effectsTable = 'effects';
/** What a digest within a fingerprint was made of: DigestParts by digest, kept so that a difference can be explained. */
export const digestPartsTable = 'digest-parts';
/** `<kind>/<digest>`: content that nothing needs any more, since when; itself the truth. */
export const condemnedTable = 'condemned';
/** Who holds which run or target, until when: itself the truth. */
export const leasesTable = 'leases';

/** Runs that somebody asked to end, and who: itself the truth. */
export const cancellationsTable = 'cancellations';

/** What checks said of which content, by their code: may be emptied. */
export const checksTable = 'checks';

/** Every table that replay of the streams fills. */
export const derivedTables = [runsTable, openRunsTable, resultsTable, producersTable, latestTable, failuresTable] as const;

/** Keys of the newest results of a pipeline's steps by address. */
export type LatestKeys = Readonly<Record<string, string>>;

/** The key under which a step stands as a maker of an artifact. */
export function producerKey(digest: string, key: string): string {
  return `${digest}/${key}`;
}
