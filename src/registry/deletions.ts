import type { ModelDeletion } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

const streamOf = (model: string): string => `model-deletion/${model}`;

/** The versions of a model that were deleted and not registered again. */
export async function deletedVersions(store: MetadataStore, model: string): Promise<ReadonlySet<string>> {
  const deleted = new Set<string>();
  for (const { data } of await store.read(streamOf(model), 0)) {
    const record = data as unknown as ModelDeletion;
    if (record.deleted) deleted.add(record.version);
    else deleted.delete(record.version);
  }
  return deleted;
}

/** Notes that a version was deleted or came back, on disk before it returns. Its files go with `twin gc`. */
export async function recordDeletion(store: MetadataStore, model: string, deletion: Omit<ModelDeletion, 'when'>): Promise<void> {
  const when = new Date(await store.now()).toISOString();
  await store.append(streamOf(model), null, [{ ...deletion, when }], 'power');
}
