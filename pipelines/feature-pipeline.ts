import { definePipeline } from '../src/engine/define.ts';
import { syncIndex } from '../steps/feature/sync-index.ts';

/** The index, in step with the documents: changes since the last time, deletes too. */
export const featurePipeline = definePipeline({
  name: 'feature-pipeline',
  summary: 'Bring the index in step with the documents',
  build(pipeline) {
    return pipeline.step(syncIndex, {});
  },
});
