import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { folder, json } from '../../src/contracts/artifact.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { ResolvedModel } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { readAlias } from '../../src/registry/aliases.ts';
import { findModels, modelReference } from '../../src/registry/models.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';

/** Finds the base that was chosen for tuning; where none was, a tiny one is pretrained. */
export const resolveBase = defineStep({
  name: 'resolve-base',
  version: 1,
  summary: 'Find the base to tune, if one was chosen',
  params: z.strictObject({
    /** A version or alias of the registry, `<name>@<version>` or `<name>@<alias>`; null: a tiny base is pretrained on the documents. */
    from: z.string().includes('@').nullable().default(null),
  }),
  inputs: {},
  outputs: { choice: json('base-choice', ResolvedModel), start: folder('start-model') },
  needs: ['metadataStore'],
  async observe({ params: { from }, ports }) {
    if (from === null) return 'none';
    return (await versionsOf(ports.metadataStore, from)).map(modelReference).join(' ') || 'none';
  },
  async run({ params: { from }, ports, outputs }) {
    if (from === null) {
      await outputs.choice.write({ alias: '', model: null });
      // A folder artifact is never empty: this says that nothing stands behind it.
      await writeFile(join(outputs.start.path, 'twin.json'), '{"kind":"none"}\n');
      return;
    }
    const found = await versionsOf(ports.metadataStore, from);
    if (found.length !== 1) {
      throw new ProblemError({
        reason: 'no-base',
        message: `The base ${from} names ${found.length === 0 ? 'no version' : `${found.length} versions`} of the registry`,
        where: 'resolve-base.from',
        expected: '<name>@<version> or <name>@<alias>, as twin models list shows them',
        hint: 'Take a model in with: twin models register <folder> --name <name>, or: twin models pull <repository>',
        exit: 2,
      });
    }
    await outputs.choice.write({ alias: from.slice(from.indexOf('@') + 1), model: found[0]! });
    await outputs.start.adopt({ digest: found[0]!.weights });
  },
});

async function versionsOf(store: MetadataStore, from: string) {
  const at = from.lastIndexOf('@');
  const { target } = await readAlias(store, from.slice(0, at), from.slice(at + 1));
  return findModels(store, target ?? from);
}
