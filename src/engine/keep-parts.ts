import type { Json } from '../contracts/digest.ts';
import type { CodeParts, DigestParts } from '../contracts/digest-parts.ts';
import type { FingerprintParts } from '../contracts/run.ts';
import { digestPartsTable } from '../history/tables.ts';
import type { PortSource } from '../ports/ports.ts';
import type { CodeHasher } from './code-hash.ts';
import { type PreparedNode, drivenParts } from './fingerprint.ts';
import type { Work } from './work.ts';

/** Keeps what the digests in a step's fingerprint were made of, so that a later difference can be explained; null where all of it is kept already. */
export function keepParts(work: Work): Promise<void> | null {
  const { context, parts } = work;
  const unkept = digestsIn(parts).filter((digest) => !context.kept.has(digest));
  if (unkept.length === 0) return null;
  for (const digest of unkept) context.kept.add(digest);
  return keep(work, unkept);
}

async function keep({ context, prepared, parts }: Work, digests: readonly string[]): Promise<void> {
  const { metadata } = context.stores;
  const rows = await metadata.get(digestPartsTable, digests);
  if (rows.every((row) => row !== null)) return;
  const made = await digestParts(prepared, parts, context.hasher, context.ports);
  const writes = [...made].map(([key, row]) => ({ key, expectedRevision: null, row: row as unknown as Json }));
  if (writes.length > 0) await metadata.putMany(digestPartsTable, writes);
}

/** The digests in a fingerprint that have parts of their own. */
function digestsIn({ code, extra }: FingerprintParts): readonly string[] {
  return [code, ...Object.values(extra)];
}

/** What the digests in a step's fingerprint are made of: its code module by module, the map steps that it drives, the files of its job. */
export async function digestParts(
  prepared: PreparedNode,
  { code, extra }: FingerprintParts,
  hasher: CodeHasher,
  ports: PortSource,
): Promise<ReadonlyMap<string, DigestParts>> {
  const made = new Map<string, DigestParts>();
  const note = (digest: string, parts: CodeParts | null | undefined): void => {
    if (parts) made.set(digest, { code: parts });
  };
  note(code, await hasher.parts(code));
  for (const [key, driven] of Object.entries(await drivenParts(prepared, ports))) {
    made.set(extra[`rows ${key}`]!, { step: driven });
    note(driven.code, await hasher.parts(driven.code));
  }
  const { step } = prepared.own;
  if (step.kind === 'job' && extra['job'] !== undefined) note(extra['job'], await (await ports.open('jobLauncher')).codeParts?.(step.job));
  return made;
}
