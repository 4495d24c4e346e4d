import { z } from 'zod';
import { json, verdict } from '../../src/contracts/artifact.ts';
import { EvaluationReport } from '../../src/contracts/evaluation.ts';
import { ComparedModels, EvaluationRecord } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { listEvaluations, recordEvaluation } from '../../src/registry/evaluations.ts';

/** Keeps in the registry what the evaluation concluded, whatever that was: a promotion by hand is judged by it. */
export const recordEvaluationVerdict = defineStep({
  name: 'record-evaluation',
  version: 1,
  summary: 'Keep the verdict in the registry',
  params: z.strictObject({ name: z.string().default('twin') }),
  inputs: { models: json('compared-models', ComparedModels), report: verdict('evaluation-report', EvaluationReport) },
  outputs: { evaluation: json('evaluation-record', EvaluationRecord) },
  needs: ['metadataStore'],
  effect: (params) => `evaluation:${params.name}`,
  async observe({ params, ports }) {
    return `${(await listEvaluations(ports.metadataStore, params.name)).length}`;
  },
  async run({ inputs, inputDigests, outputs, ports, run }) {
    const { models, report } = inputs;
    const { candidate, incumbent, alias, name } = models;
    await recordEvaluation(ports.metadataStore, name, {
      candidate,
      incumbent,
      alias,
      report: inputDigests.report,
      frozenSet: report.frozenSet,
      verdict: report.verdict,
      reasons: report.reasons,
      difference: report.comparison?.difference.value ?? null,
      bitsPerByte: report.models.find(({ role }) => role === 'candidate')?.bitsPerByte ?? null,
      run,
    });
    const kept = (await listEvaluations(ports.metadataStore, name)).findLast(
      (each) => each.candidate === candidate && each.alias === alias,
    );
    await outputs.evaluation.write(kept!);
  },
});
