import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { ResolvedModel } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { modelUnder, readAlias } from '../../src/registry/aliases.ts';

/** Finds the version that the alias `candidate` names. */
export const resolveCandidate = defineStep({
  name: 'resolve-candidate',
  version: 1,
  summary: 'Find the candidate in the registry',
  params: z.strictObject({ name: z.string().default('twin') }),
  inputs: {},
  outputs: { candidate: json('candidate', ResolvedModel) },
  needs: ['metadataStore'],
  async observe({ params, ports }) {
    return (await readAlias(ports.metadataStore, params.name, 'candidate')).target ?? 'none';
  },
  async run({ params, ports, outputs }) {
    const model = await modelUnder(ports.metadataStore, params.name, 'candidate');
    if (model === null) {
      throw new ProblemError({
        reason: 'no-candidate',
        message: `The alias 'candidate' of '${params.name}' names no version`,
        expected: 'a trained model in the registry',
        hint: 'Train one with: twin run training-pipeline',
        exit: 1,
      });
    }
    await outputs.candidate.write({ alias: 'candidate', model });
  },
});
