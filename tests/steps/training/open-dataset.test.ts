import { expect, test } from 'vitest';
import { openDataset } from '../../../steps/training/open-dataset.ts';
import { datasetVersion } from '../../support/samples.ts';
import { runStep } from '../../support/step-rig.ts';

test('adopts the splits as they are stored', async () => {
  const dataset = datasetVersion();
  const { outputs } = await runStep(openDataset, { inputs: { dataset } });
  expect(outputs).toEqual({
    train: { adopted: dataset.splits.train.artifact },
    validation: { adopted: dataset.splits.validation.artifact },
    test: { adopted: dataset.splits.test.artifact },
  });
});
