import { z } from 'zod';
import type { Json } from './digest.ts';

const JsonValue: z.ZodType<Json> = z.json();

/** How many of something there were, are, came, went and became another one. */
export const Tally = z.strictObject({
  before: z.int().nonnegative(),
  after: z.int().nonnegative(),
  added: z.int().nonnegative(),
  removed: z.int().nonnegative(),
  changed: z.int().nonnegative(),
});
export type Tally = z.output<typeof Tally>;

/** A value that differs: by the dotted path of its members, null where there is none. */
export const MemberChange = z.strictObject({ path: z.string(), before: JsonValue, after: JsonValue });
export type MemberChange = z.output<typeof MemberChange>;

/** A few things that are called by name, those that changed before those that came and went. */
const Examples = z.array(z.strictObject({ name: z.string(), change: z.enum(['changed', 'added', 'removed']) }));
export type Examples = z.output<typeof Examples>;

/** How two artifacts of one name differ. */
export const ArtifactDifference = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('rows'),
    /** A row that changed counts as one that went and one that came. */
    rows: Tally,
    /** By the documents that rows come from; null where rows do not say so. */
    documents: Tally.nullable(),
    examples: Examples,
  }),
  z.strictObject({ kind: z.literal('json'), members: z.array(MemberChange), more: z.int().nonnegative() }),
  z.strictObject({ kind: z.literal('folder'), files: Tally, examples: Examples }),
  /** Content that is not in the artifact store any more, or another kind of artifact: there is nothing to compare. */
  z.strictObject({ kind: z.literal('unknown'), what: z.string() }),
]);
export type ArtifactDifference = z.output<typeof ArtifactDifference>;

/** How two states of code differ. */
export const CodeDifference = z.strictObject({
  modules: z.array(z.strictObject({ path: z.string(), change: z.enum(['changed', 'added', 'removed']) })),
  packages: z.array(z.strictObject({ name: z.string(), before: z.string().nullable(), after: z.string().nullable() })),
});
export type CodeDifference = z.output<typeof CodeDifference>;
