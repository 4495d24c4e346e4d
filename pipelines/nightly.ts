import { definePipeline } from '../src/engine/define.ts';
import { collectPipeline } from './collect-pipeline.ts';
import { datasetPipeline } from './dataset-pipeline.ts';
import { evaluationPipeline } from './evaluation-pipeline.ts';
import { featurePipeline } from './feature-pipeline.ts';
import { inferencePipeline } from './inference-pipeline.ts';
import { trainingPipeline } from './training-pipeline.ts';

/** Everything, in its order: what a night does. */
export const nightly = definePipeline({
  name: 'nightly',
  summary: 'Collect, index, make the dataset, tune, evaluate, promote, answer',
  build(pipeline) {
    const { collection } = pipeline.use(collectPipeline, {});
    const { index } = pipeline.use(featurePipeline, {}, { after: [collection] });
    const { dataset } = pipeline.use(datasetPipeline, {}, { after: [collection] });
    const { candidate } = pipeline.use(trainingPipeline, { dataset }, { after: [dataset] });
    const { report, champion } = pipeline.use(evaluationPipeline, { candidate, index }, { after: [candidate, index] });
    const inference = pipeline.use(inferencePipeline, { index }, { after: [champion, index] });
    return { index, report, ...inference };
  },
});
