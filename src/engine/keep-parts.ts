import type { Json } from '../contracts/digest.ts';
import type { CodeParts, DigestParts } from '../contracts/digest-parts.ts';
import { digestPartsTable } from '../history/tables.ts';
import { drivenParts } from './fingerprint.ts';
import type { RunContext } from './run-context.ts';
import type { Work } from './work.ts';

/** Keeps what the digests in a step's fingerprint were made of, so that a later difference can be explained; null where all of it is kept already. */
export function keepParts(work: Work): Promise<void> | null {
  const { context, parts } = work;
  const unkept = [parts.code, ...Object.values(parts.extra)].filter((digest) => !context.kept.has(digest));
  if (unkept.length === 0) return null;
  for (const digest of unkept) context.kept.add(digest);
  return keep(work, unkept);
}

async function keep({ context, prepared, parts }: Work, digests: readonly string[]): Promise<void> {
  const { metadata } = context.stores;
  const rows = await metadata.get(digestPartsTable, digests);
  const missing = new Set(digests.filter((_, index) => rows[index] === null));
  if (missing.size === 0) return;
  const made = new Map<string, DigestParts>();
  if (missing.has(parts.code)) note(made, parts.code, await context.hasher.parts(parts.code));
  for (const [key, driven] of Object.entries(await drivenParts(prepared, context.ports))) {
    made.set(parts.extra[`rows ${key}`]!, { step: driven });
    note(made, driven.code, await context.hasher.parts(driven.code));
  }
  const job = parts.extra['job'];
  if (job !== undefined && missing.has(job)) note(made, job, await jobParts(context, prepared.own.step));
  const writes = [...made].map(([key, row]) => ({ key, expectedRevision: null, row: row as unknown as Json }));
  if (writes.length > 0) await metadata.putMany(digestPartsTable, writes);
}

function note(made: Map<string, DigestParts>, digest: string, code: CodeParts | null): void {
  if (code !== null) made.set(digest, { code });
}

async function jobParts({ ports }: RunContext, step: Work['prepared']['own']['step']): Promise<CodeParts | null> {
  if (step.kind !== 'job') return null;
  return (await (await ports.open('jobLauncher')).codeParts?.(step.job)) ?? null;
}
