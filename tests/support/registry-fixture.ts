import { join } from 'node:path';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { sha256 } from '../../src/contracts/digest.ts';
import type { TrainingSummary } from '../../src/contracts/jobs.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';
import type { TrainingRun } from '../../src/registry/register-training.ts';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

/** A real metadata store in a folder that goes with the test. */
export async function metadataStore(): Promise<MetadataStore> {
  const store = openSqliteMetadataStore({ file: join(await temporaryFolder(), 'state.db') });
  onTestFinished(() => store.close());
  return store;
}

/** What a training job said of itself. */
export function trainingSummary(job: string, overrides: Partial<TrainingSummary> = {}): TrainingSummary {
  return {
    job,
    params: { seed: 7 },
    steps: 10,
    finalLoss: 2,
    losses: [{ step: 10, loss: 2 }],
    validationLoss: null,
    trainableParameters: 10,
    totalParameters: 100,
    rows: 5,
    trainedTokens: 50,
    totalTokens: 100,
    truncatedRows: 0,
    droppedRows: {},
    seconds: 1,
    adaptations: [],
    promptTemplate: sha256('template'),
    libraries: { torch: '2.13.0' },
    seed: 7,
    ...overrides,
  };
}

/** A whole training run; `mark` makes its weights and data differ from another's. */
export function trainingRun(mark = 'a'): TrainingRun {
  const tuned = (method: string) => ({
    weights: sha256(`${mark} ${method} weights`),
    adapter: sha256(`${mark} ${method} adapter`),
    data: sha256(`${mark} ${method} data`),
    summary: trainingSummary(`train-${method}`),
    merge: { maxLogitDifference: 1e-6, prompts: 4, promptTemplate: sha256('template'), libraries: {} },
  });
  return {
    name: 'twin',
    dataset: 'instructions@0123456789ab',
    chosen: null,
    base: { weights: sha256(`${mark} base`), data: sha256(`${mark} documents`), summary: trainingSummary('pretrain-tiny') },
    sft: tuned('sft'),
    dpo: tuned('dpo'),
  };
}
