import { z } from 'zod';
import { FingerprintParts } from './run.ts';

/** What the hash of a step's or a job's code was made of: comments and format do not count, nor does code that is never reached. */
export const CodeParts = z.strictObject({
  /** Hashes of modules by their path, relative to the folder of the lock file. */
  modules: z.record(z.string(), z.string()),
  /** Versions of packages that the modules import, and the hash of the lock where that counts whole. */
  packages: z.record(z.string(), z.string()),
});
export type CodeParts = z.output<typeof CodeParts>;

/** What a digest that stands in a fingerprint was made of, kept under the digest so that a difference can be explained. */
export const DigestParts = z.union([
  z.strictObject({ code: CodeParts }),
  /** Of a map step that another step drives. */
  z.strictObject({ step: FingerprintParts }),
]);
export type DigestParts = z.output<typeof DigestParts>;
