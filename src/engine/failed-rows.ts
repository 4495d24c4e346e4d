import { z } from 'zod';
import { type ArtifactReference, rows } from '../contracts/artifact.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import { type RowsFace, openOutputs } from './outputs.ts';

/** What a step that tolerates failures keeps beside its output, under the name `failed`: each row that failed, and why. */
const FailedRow = z.strictObject({ row: z.unknown(), reason: z.string(), message: z.string() });
/** Failures that a message shows; the rest is counted. */
const shown = 5;

/** Keeps the rows of a map step that failed, up to the share that may. */
export interface FailedRows {
  /** Takes a failure; refuses the one that is too many. */
  add(row: unknown, problem: Problem): Promise<void>;
  /** The kept rows as an artifact; none where none failed. */
  finish(): Promise<Readonly<Record<string, ArtifactReference>>>;
  discard(): Promise<void>;
}

/** Opens the keeper of failed rows: at most `share` of `count` rows may fail. */
export async function openFailedRows(
  address: string,
  { share, count, store }: { readonly share: number; readonly count: number; readonly store: ArtifactStore },
): Promise<FailedRows> {
  const outputs = await openOutputs(address, { failed: rows('failed-rows', FailedRow) }, store);
  const face = outputs.faces['failed'] as RowsFace;
  const allowed = Math.floor(share * count);
  const first: string[] = [];
  let failed = 0;
  return {
    async add(row, { reason, message }) {
      if (first.length < shown) first.push(`${message} (row ${shortly(row)})`);
      if (++failed > allowed) throw tooMany(address, { failed, allowed, count, share, first });
      await face.writeChecked({ row, reason, message });
    },
    finish: async () => (failed === 0 ? {} : outputs.finish()),
    discard: () => outputs.discard(),
  };
}

function shortly(row: unknown): string {
  const text = JSON.stringify(row);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function tooMany(
  address: string,
  found: {
    readonly failed: number;
    readonly allowed: number;
    readonly count: number;
    readonly share: number;
    readonly first: readonly string[];
  },
): ProblemError {
  return new ProblemError({
    reason: 'too-many-rows-failed',
    message: `More rows of step ${address} failed than it tolerates`,
    where: address,
    expected: `at most ${found.allowed} of ${found.count} (${Number((found.share * 100).toFixed(2))} %)`,
    found: `${found.failed} so far:\n${found.first.join('\n')}`,
    hint: 'The rows that worked are kept: mend these and run again',
    exit: 1,
  });
}
