import type { Json } from '../contracts/digest.ts';
import { effectsTable } from '../history/tables.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { PreparedNode } from './fingerprint.ts';

/** What is known of the last time that a step changed its target. An intent that was never committed leaves the target in doubt. */
export interface EffectRecord {
  readonly state: 'intent' | 'committed';
  /** The step's key without the state that it observes. */
  readonly key: string;
  readonly run: string;
  /** What the step observed of the target after it had changed it. */
  readonly token: string | null;
}

/** The target that an effect step changes. */
export function targetOf({ node: { step }, params }: PreparedNode): string {
  if (step.kind !== 'step' || !step.effect) throw new TypeError(`${step.name} is not an effect step`);
  return (step.effect as (params: unknown) => string)(params.params);
}

/** The record of a step at its target. The prefix of a used pipeline is left out, so that nightly and a single run share it. */
export async function readEffect(store: MetadataStore, prepared: PreparedNode): Promise<EffectRecord | null> {
  const [row] = await store.get(effectsTable, [recordKey(prepared)]);
  return row ? (row.row as unknown as EffectRecord) : null;
}

/** Writes the record, on disk before the promise resolves. */
export async function writeEffect(store: MetadataStore, prepared: PreparedNode, record: EffectRecord): Promise<void> {
  await store.putMany(effectsTable, [{ key: recordKey(prepared), expectedRevision: null, row: record as unknown as Json }], 'power');
}

function recordKey(prepared: PreparedNode): string {
  const { address, step } = prepared.node;
  return `${targetOf(prepared)} ${step.name} ${address.slice(address.lastIndexOf('.') + 1)}`;
}
