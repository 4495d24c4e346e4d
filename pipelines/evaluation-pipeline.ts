import { definePipeline } from '../src/engine/define.ts';
import { makeRetrievalQuestions } from '../steps/dataset/make-retrieval-questions.ts';
import { snapshotDocuments } from '../steps/dataset/snapshot-documents.ts';
import { measureRetrieval } from '../steps/evaluation/measure-retrieval.ts';
import { openComparison } from '../steps/evaluation/open-comparison.ts';
import { promoteCandidate } from '../steps/evaluation/promote-candidate.ts';
import { recordEvaluationVerdict } from '../steps/evaluation/record-evaluation.ts';
import { resolveCandidate } from '../steps/evaluation/resolve-candidate.ts';
import { scoreItems } from '../steps/evaluation/score-items.ts';
import { scoreReport } from '../steps/evaluation/score-report.ts';
import { cleanDocuments } from '../steps/feature/clean-documents.ts';
import { resolveIndex } from '../steps/inference/resolve-index.ts';

/** Candidate against incumbent, base and SFT version on one frozen set; a pass moves the alias. */
export const evaluationPipeline = definePipeline({
  name: 'evaluation-pipeline',
  summary: 'Compare the candidate with the champion, and promote it if it passes',
  inputs: { candidate: resolveCandidate.outputs.candidate, index: resolveIndex.outputs.index },
  build(pipeline, inputs) {
    const candidate = inputs.candidate ?? pipeline.step(resolveCandidate, {}).candidate;
    const index = inputs.index ?? pipeline.step(resolveIndex, {}).index;

    const { models, items, ...compared } = pipeline.step(openComparison, { candidate });
    const { scores } = pipeline.step(scoreItems, { ...compared, items });

    const cleaned = pipeline.step(cleanDocuments, pipeline.step(snapshotDocuments, {}).documents);
    const { questions } = pipeline.step(makeRetrievalQuestions, { documents: cleaned });
    const { retrieval } = pipeline.step(measureRetrieval, { questions, index });

    const { report } = pipeline.step(scoreReport, { scores, models, items, retrieval });
    const { evaluation } = pipeline.step(recordEvaluationVerdict, { models, report });
    const { champion } = pipeline.step(
      promoteCandidate,
      { models, report },
      { when: [report, ({ verdict }) => verdict === 'pass'], after: [evaluation] },
    );
    return { report, champion };
  },
});
