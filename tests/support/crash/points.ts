import type { ArtifactStore } from '../../../src/ports/artifact-store.ts';
import type { JobLauncher } from '../../../src/ports/job-launcher.ts';
import type { MetadataStore } from '../../../src/ports/metadata-store.ts';

/** Hears of every point that is passed, by name; what it does about it is the process's own affair. */
export type Reach = (point: string) => void;

/** Tells whether the process shall die at a point. */
export interface Fate {
  readonly reach: Reach;
  readonly isLast: (point: string) => boolean;
}

/**
 * A store that passes a point behind every record and every row. What is written together may as well have been written apart,
 * so where the process shall die in between, only what comes before is written.
 */
export function withCrashPoints(store: MetadataStore, subject: string, { reach, isLast }: Fate): MetadataStore {
  const counts = new Map<string, number>();
  const next = (name: string): string => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return `${subject} ${name} ${count}`;
  };
  const apart = async <Item, Outcome>(
    items: readonly Item[],
    pointOf: (item: Item) => string,
    write: (part: readonly Item[]) => Promise<Outcome>,
  ) => {
    const points = items.map(pointOf);
    const last = points.findIndex(isLast);
    const outcome = await write(last < 0 ? items : items.slice(0, last + 1));
    for (const point of points) reach(point);
    return outcome;
  };
  return {
    ...store,
    append: (stream, expectedSeq, records, durability) =>
      apart(
        records,
        (record) => next(`record ${(record as { type: string }).type}`),
        (part) => store.append(stream, expectedSeq, part, durability),
      ),
    putMany: (table, writes, durability) =>
      apart(
        writes,
        () => next(`row of ${table.startsWith('rows:') ? 'rows' : table}`),
        (part) => store.putMany(table, part, durability),
      ),
  };
}

/** A store that passes a point before and behind everything that it takes over. */
export function artifactsWithCrashPoints(store: ArtifactStore, { reach }: Fate): ArtifactStore {
  let count = 0;
  const around = async <Value>(what: string, work: () => Promise<Value>): Promise<Value> => {
    const name = `artifact ${++count}`;
    reach(`${name} before ${what}`);
    const value = await work();
    reach(`${name} behind ${what}`);
    return value;
  };
  return {
    ...store,
    putFile: (path) => around('putFile', () => store.putFile(path)),
    putFolder: (path) => around('putFolder', () => store.putFolder(path)),
  };
}

/** A launcher that passes a point around the launch, within the job's events and before its end is looked at. */
export function launcherWithCrashPoints(launcher: JobLauncher, { reach }: Fate): JobLauncher {
  return {
    ...launcher,
    async submit(submission) {
      reach('job before submit');
      const job = await launcher.submit(submission);
      reach('job behind submit');
      return job;
    },
    async *follow(job, options) {
      let first = true;
      for await (const event of launcher.follow(job, options)) {
        if (first) reach('job speaks');
        first = false;
        yield event;
      }
      reach('job ended');
    },
  };
}
