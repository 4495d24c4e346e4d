import { digestOf, type Json } from '../contracts/digest.ts';
import type { ModelVersion } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { deletedVersions, recordDeletion } from './deletions.ts';
import { streamsWith } from './streams.ts';

/** What makes a version: everything but where and when it was registered. */
export type ModelContent = Omit<ModelVersion, 'version' | 'run' | 'createdAt'>;

const prefix = 'model/';

/** The version of a model's content: its first 12 hexadecimal digits. */
export function modelVersionOf(content: ModelContent): string {
  return digestOf(content).slice(0, 12);
}

/** The reference of a version: `<name>@<version>`. */
export function modelReference(model: Pick<ModelVersion, 'name' | 'version'>): string {
  return `${model.name}@${model.version}`;
}

/** Registers content as a version, on disk before it returns; content that is registered already is returned as it was. */
export async function registerModel(store: MetadataStore, content: ModelContent, run: string): Promise<ModelVersion> {
  const version = modelVersionOf(content);
  const stream = prefix + content.name;
  for (;;) {
    const records = await store.read(stream, 0);
    const models = records.map((record) => record.data as unknown as ModelVersion);
    const known = models.find((model) => model.version === version);
    if (known) {
      if ((await deletedVersions(store, content.name)).has(version))
        await recordDeletion(store, content.name, { version, deleted: false, who: run, reason: 'registered again' });
      return known;
    }
    const model: ModelVersion = { ...content, version, run, createdAt: new Date(await store.now()).toISOString() };
    const appended = await store.append(stream, records.length, [model as unknown as Json], 'power');
    if (appended.ok) return model;
  }
}

/** Every version of one model, or of all of them, oldest first within a name; deleted ones are left out. */
export async function listModels(store: MetadataStore, name?: string): Promise<readonly ModelVersion[]> {
  const streams = name === undefined ? await streamsWith(store, prefix) : [prefix + name];
  const read = await Promise.all(
    streams.map(async (stream) => {
      const [records, deleted] = await Promise.all([store.read(stream, 0), deletedVersions(store, stream.slice(prefix.length))]);
      return records.map((record) => record.data as unknown as ModelVersion).filter(({ version }) => !deleted.has(version));
    }),
  );
  return read.flat();
}

/** The version that `<name>@<version>`, a bare version or an unambiguous start of one names; every candidate otherwise. */
export async function findModels(store: MetadataStore, reference: string): Promise<readonly ModelVersion[]> {
  const at = reference.lastIndexOf('@');
  const wanted = reference.slice(at + 1);
  const models = await listModels(store, at > 0 ? reference.slice(0, at) : undefined);
  return models.filter((model) => model.version.startsWith(wanted));
}
