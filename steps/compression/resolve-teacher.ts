import { z } from 'zod';
import { folder, json } from '../../src/contracts/artifact.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { ModelVersion } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { readAlias } from '../../src/registry/aliases.ts';
import { findModels } from '../../src/registry/models.ts';

/** Finds the version that is to be compressed: what an alias of the model names, or the version itself. */
export const resolveTeacher = defineStep({
  name: 'resolve-teacher',
  version: 1,
  summary: 'Find the version to compress',
  params: z.strictObject({
    name: z.string().default('twin'),
    /** An alias, or a version of the model. */
    from: z.string().default('champion'),
  }),
  inputs: {},
  outputs: { teacher: json('teacher', ModelVersion), model: folder('teacher-model') },
  needs: ['metadataStore'],
  async observe({ params, ports }) {
    return (await readAlias(ports.metadataStore, params.name, params.from)).target ?? 'none';
  },
  async run({ params: { name, from }, ports, outputs }) {
    const { target } = await readAlias(ports.metadataStore, name, from);
    const found = await findModels(ports.metadataStore, target ?? `${name}@${from}`);
    if (found.length !== 1) {
      throw new ProblemError({
        reason: 'no-version',
        message: `'${from}' of ${name} names ${found.length === 0 ? 'no version' : `${found.length} versions`}`,
        expected: 'an alias that names a version, or a version',
        hint: 'See: twin models list; then name one with: --set resolve-teacher.from=<alias or version>',
        exit: 1,
      });
    }
    await outputs.teacher.write(found[0]!);
    await outputs.model.adopt({ digest: found[0]!.weights });
  },
});
