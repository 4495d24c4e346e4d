import { digestOf, type Json } from '../contracts/digest.ts';
import type { EvaluationRecord, ModelVersion } from '../contracts/registry.ts';

/** A value that two versions do not share; null where one of them has none. */
export interface Change {
  readonly key: string;
  readonly before: Json;
  readonly after: Json;
}

/** How two sets of rows overlap. */
export interface RowChange {
  readonly added: number;
  readonly removed: number;
  readonly common: number;
}

const compared = ['method', 'base', 'parent', 'dataset', 'promptTemplate', 'seed', 'toy', 'weights', 'adapter', 'mergeDifference'] as const;

/** What differs between two versions beside their weights: what they are, their params by address, and the libraries that made them. */
export function modelChanges(before: ModelVersion, after: ModelVersion): readonly Change[] {
  const own = (model: ModelVersion): Record<string, Json> => ({
    ...Object.fromEntries(compared.map((key) => [key, model[key]])),
    ...flattened('params', model.params),
    ...flattened('libraries', model.libraries),
  });
  const [left, right] = [own(before), own(after)];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) => {
    const change = { key, before: left[key] ?? null, after: right[key] ?? null };
    return digestOf(change.before) === digestOf(change.after) ? [] : [change];
  });
}

function flattened(prefix: string, value: Json): Record<string, Json> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return { [prefix]: value };
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) => flattened(`${prefix}.${key}`, inner))) as Record<string, Json>;
}

/** How the rows with these digests changed; a row that stands twice counts once. */
export function rowChange(before: ReadonlySet<string>, after: ReadonlySet<string>): RowChange {
  const common = before.intersection(after).size;
  return { added: after.size - common, removed: before.size - common, common };
}

/** Bits per byte of both versions on one frozen set; null where no set was used for both. */
export function comparedOn(
  before: readonly EvaluationRecord[],
  after: readonly EvaluationRecord[],
): { readonly frozenSet: string; readonly before: number; readonly after: number } | null {
  for (const one of after.toReversed()) {
    const other = before.findLast(({ frozenSet }) => frozenSet === one.frozenSet);
    if (other && other.bitsPerByte !== null && one.bitsPerByte !== null)
      return { frozenSet: one.frozenSet, before: other.bitsPerByte, after: one.bitsPerByte };
  }
  return null;
}
