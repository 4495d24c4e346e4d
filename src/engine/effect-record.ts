import type { Json } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { StepResult } from '../contracts/run.ts';
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
  /** What the step made, since the process may die between this commit and the run's journal. */
  readonly result?: StepResult;
}

/** A record as it stands in the store, with the revision that the next write to it must name. */
export interface StoredEffect {
  readonly record: EffectRecord | null;
  readonly revision: number;
}

/** The target that an effect step changes. */
export function targetOf({ node: { step }, params }: PreparedNode): string {
  if (step.kind !== 'step' || !step.effect) throw new TypeError(`${step.name} is not an effect step`);
  return (step.effect as (params: unknown) => string)(params.params);
}

/** The record of a step at its target. The prefix of a used pipeline is left out, so that nightly and a single run share it. */
export async function readEffect(store: MetadataStore, prepared: PreparedNode): Promise<StoredEffect> {
  const [row] = await store.get(effectsTable, [recordKey(prepared)]);
  return { record: row ? (row.row as unknown as EffectRecord) : null, revision: row?.revision ?? 0 };
}

/** Writes the record over the revision that was read, on disk before the promise resolves; whoever lost the target meanwhile is refused. */
export async function writeEffect(store: MetadataStore, prepared: PreparedNode, record: EffectRecord, over: number): Promise<number> {
  const write = { key: recordKey(prepared), expectedRevision: over, row: record as unknown as Json };
  const [outcome] = await store.putMany(effectsTable, [write], 'power');
  if (outcome!.ok) return outcome!.revision;
  throw new ProblemError({
    reason: 'effect-overtaken',
    message: `Another process changed ${targetOf(prepared)} while step ${prepared.node.address} held it`,
    where: prepared.node.address,
    expected: `revision ${over} of its record`,
    found: `revision ${outcome!.actual}`,
    hint: 'Was this machine suspended? Run again: the step looks at its target anew.',
    exit: 1,
  });
}

function recordKey(prepared: PreparedNode): string {
  const { address, step } = prepared.node;
  return `${targetOf(prepared)} ${step.name} ${address.slice(address.lastIndexOf('.') + 1)}`;
}
