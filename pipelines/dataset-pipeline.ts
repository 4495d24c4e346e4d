import { definePipeline } from '../src/engine/define.ts';
import { decontaminateSamples } from '../steps/dataset/decontaminate-samples.ts';
import { deduplicateSamples } from '../steps/dataset/deduplicate-samples.ts';
import { gateDataset } from '../steps/dataset/gate-dataset.ts';
import { generateInstructions } from '../steps/dataset/generate-instructions.ts';
import { registerDataset } from '../steps/dataset/register-dataset.ts';
import { snapshotDocuments } from '../steps/dataset/snapshot-documents.ts';
import { splitSamples } from '../steps/dataset/split-samples.ts';
import { writeCard } from '../steps/dataset/write-card.ts';
import { cleanDocuments } from '../steps/feature/clean-documents.ts';

/** Documents to a registered instruction set with its card, or a refusal with reasons. */
export const datasetPipeline = definePipeline({
  name: 'dataset-pipeline',
  summary: 'Make an instruction set out of the documents, gate it, and register it',
  build(pipeline) {
    const documents = pipeline.step(cleanDocuments, pipeline.step(snapshotDocuments, {}).documents);
    const sampled = pipeline.step(generateInstructions, documents);
    const { samples, dropped: duplicates } = pipeline.step(deduplicateSamples, { sampled });

    const { test, ...assigned } = pipeline.step(splitSamples, { samples });
    const { train, validation, dropped: overlaps } = pipeline.step(decontaminateSamples, { ...assigned, test });

    const { report } = pipeline.step(gateDataset, { documents, train, validation, test });
    const { card } = pipeline.step(writeCard, { sampled, duplicates, overlaps, train, validation, test, gate: report });
    const { dataset } = pipeline.step(registerDataset, { card, train, validation, test });
    return { dataset, card, report };
  },
});
