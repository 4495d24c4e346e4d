import type { AnyPipeline } from '../src/engine/define.ts';

/** Every pipeline by name, imported when it is asked for. */
export const pipelines = {
  'collect-pipeline': async () => (await import('./collect-pipeline.ts')).collectPipeline,
  'feature-pipeline': async () => (await import('./feature-pipeline.ts')).featurePipeline,
  'dataset-pipeline': async () => (await import('./dataset-pipeline.ts')).datasetPipeline,
  'training-pipeline': async () => (await import('./training-pipeline.ts')).trainingPipeline,
  'evaluation-pipeline': async () => (await import('./evaluation-pipeline.ts')).evaluationPipeline,
  'compress-pipeline': async () => (await import('./compress-pipeline.ts')).compressPipeline,
  'inference-pipeline': async () => (await import('./inference-pipeline.ts')).inferencePipeline,
  nightly: async () => (await import('./nightly.ts')).nightly,
  quickstart: async () => (await import('./quickstart.ts')).quickstart,
} satisfies Readonly<Record<string, () => Promise<AnyPipeline>>>;
