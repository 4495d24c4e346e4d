import { z } from 'zod';
import { json, verdict } from '../../src/contracts/artifact.ts';
import { EvaluationReport } from '../../src/contracts/evaluation.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { ComparedModels, ResolvedModel } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { modelUnder, moveAlias, readAlias } from '../../src/registry/aliases.ts';
import { aliasMoved } from '../../src/registry/candidate.ts';

/** Moves the alias to a candidate that passed, if it still names what the candidate was compared with. */
export const promoteCandidate = defineStep({
  name: 'promote-candidate',
  version: 1,
  summary: 'Move the alias to the candidate that passed',
  params: z.strictObject({ alias: z.string().default('champion'), name: z.string().default('twin') }),
  inputs: { models: json('compared-models', ComparedModels), report: verdict('evaluation-report', EvaluationReport) },
  outputs: { champion: json('champion', ResolvedModel) },
  needs: ['metadataStore'],
  effect: (params) => `alias:${params.name}/${params.alias}`,
  async observe({ params, ports }) {
    return (await readAlias(ports.metadataStore, params.name, params.alias)).target ?? 'none';
  },
  async run({ inputs, inputDigests, outputs, ports, params, run }) {
    const { models } = inputs;
    const current = await readAlias(ports.metadataStore, models.name, params.alias);
    const moved = await moveAlias(ports.metadataStore, {
      model: models.name,
      alias: params.alias,
      expected: current.target === models.candidate ? models.candidate : models.incumbent,
      to: models.candidate,
      who: 'evaluation-pipeline',
      run,
      report: inputDigests.report,
      reason: inputs.report.reasons.join('; '),
    });
    if (!moved.ok) throw new ProblemError(aliasMoved(models.name, params.alias, models.incumbent, moved.found));
    await outputs.champion.write({ alias: params.alias, model: await modelUnder(ports.metadataStore, models.name, params.alias) });
  },
});
