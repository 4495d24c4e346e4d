import { digestOf } from '../contracts/digest.ts';
import type { DatasetVersion } from '../contracts/dataset.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { streamsWith } from './streams.ts';

const prefix = 'dataset/';

/** What makes a dataset version: its name and the content of its splits. */
export type DatasetContent = Omit<DatasetVersion, 'version' | 'createdAt'>;

/** The version of a dataset's content: 12 hexadecimal digits of the digest of name and splits. */
export function datasetVersionOf({ name, splits, preference }: DatasetContent): string {
  return digestOf({ name, splits, preference }).slice(0, 12);
}

/** The reference of a version: `<name>@<version>`. */
export function datasetReference(dataset: Pick<DatasetVersion, 'name' | 'version'>): string {
  return `${dataset.name}@${dataset.version}`;
}

/** Registers content as the latest version, on disk before it returns; where it is the latest already, nothing is written. */
export async function registerDataset(store: MetadataStore, content: DatasetContent): Promise<DatasetVersion> {
  const version = datasetVersionOf(content);
  const stream = prefix + content.name;
  for (;;) {
    const versions = (await store.read(stream, 0)).map((record) => record.data as unknown as DatasetVersion);
    const latest = versions.at(-1);
    if (latest?.version === version) return latest;
    // Content that was latest before and is again keeps its first record's time: a version is immutable.
    const known = versions.find((each) => each.version === version);
    const dataset: DatasetVersion = known ?? { ...content, version, createdAt: new Date(await store.now()).toISOString() };
    const appended = await store.append(stream, versions.length, [dataset], 'power');
    if (appended.ok) return dataset;
  }
}

/** Every registration of one dataset, or of all of them, oldest first within a name; a version that became latest again stands twice. */
export async function listDatasets(store: MetadataStore, name?: string): Promise<readonly DatasetVersion[]> {
  const streams = name === undefined ? await streamsWith(store, prefix) : [prefix + name];
  const read = await Promise.all(streams.map((stream) => store.read(stream, 0)));
  return read.flat().map((record) => record.data as unknown as DatasetVersion);
}

/** The latest version of a dataset, null where there is none. */
export async function latestDataset(store: MetadataStore, name: string): Promise<DatasetVersion | null> {
  return (await listDatasets(store, name)).at(-1) ?? null;
}
