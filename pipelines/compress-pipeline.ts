import { definePipeline } from '../src/engine/define.ts';
import { distillModel } from '../steps/compression/distill-model.ts';
import { pruneModel } from '../steps/compression/prune-model.ts';
import { registerDistilledModel } from '../steps/compression/register-distilled.ts';
import { resolveTeacher } from '../steps/compression/resolve-teacher.ts';
import { openDataset } from '../steps/training/open-dataset.ts';
import { resolveDataset } from '../steps/training/resolve-dataset.ts';

/** The champion, pruned, and healed by learning from what it was: a smaller candidate, which the evaluation gate may let pass. */
export const compressPipeline = definePipeline({
  name: 'compress-pipeline',
  summary: 'Prune a model, heal it by distillation from the whole one, and register the candidate',
  build(pipeline) {
    const { teacher, model: whole } = pipeline.step(resolveTeacher, {});
    const { dataset } = pipeline.step(resolveDataset, {});
    const { train, validation } = pipeline.step(openDataset, { dataset });
    const pruned = pipeline.step(pruneModel, { model: whole, samples: train });
    const { model, summary } = pipeline.step(distillModel, { student: pruned.model, teacher: whole, train, validation });
    return pipeline.step(registerDistilledModel, { dataset, teacher, pruning: pruned.summary, model, summary, train });
  },
});
