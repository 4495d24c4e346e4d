import { definePipeline } from '../src/engine/define.ts';
import { collectSources } from '../steps/collect/collect-sources.ts';

/** Files, folders, git working trees and exports into the document store. */
export const collectPipeline = definePipeline({
  name: 'collect-pipeline',
  summary: 'Collect documents from files, folders, git working trees and exports',
  build(pipeline) {
    return pipeline.step(collectSources, {});
  },
});
