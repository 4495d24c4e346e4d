import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import { ResolvedModel } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { modelUnder, readAlias } from '../../src/registry/aliases.ts';

/** Finds the version that answers: what the promotion alias names, or none yet. */
export const resolveChampion = defineStep({
  name: 'resolve-champion',
  version: 1,
  summary: 'Find the champion in the registry',
  params: z.strictObject({ name: z.string().default('twin'), alias: z.string().default('champion') }),
  inputs: {},
  outputs: { champion: json('champion', ResolvedModel) },
  needs: ['metadataStore'],
  async observe({ params, ports }) {
    return (await readAlias(ports.metadataStore, params.name, params.alias)).target ?? 'none';
  },
  async run({ params, ports, outputs }) {
    await outputs.champion.write({ alias: params.alias, model: await modelUnder(ports.metadataStore, params.name, params.alias) });
  },
});
