import { definePipeline } from '../src/engine/define.ts';
import { askQuestion } from '../steps/inference/ask-question.ts';
import { nightly } from './nightly.ts';

/** A twin of this very project: one night on its documents, then one question about it. */
export const quickstart = definePipeline({
  name: 'quickstart',
  summary: 'Build a twin of this project and ask it a question',
  build(pipeline) {
    const { index } = pipeline.use(nightly, {});
    return pipeline.step(askQuestion, { index });
  },
});
