import { describe, expect, test } from 'vitest';
import { TrainSftParams } from '../../src/contracts/jobs.ts';
import { type NextAttempt, smallerAttempt } from '../../src/workers/smaller-attempt.ts';

const params = TrainSftParams.parse({ batchSize: 4, gradientAccumulation: 2 }) as NextAttempt['params'];
const gpu = { device: 'cuda', libraries: { bitsandbytes: '0.50' } };

/** Every step down the ladder. */
function ladder(start: NextAttempt['params'], machine: Parameters<typeof smallerAttempt>[1]): readonly string[] {
  let attempt: NextAttempt = { params: start, adaptations: [] };
  for (let next = smallerAttempt(attempt, machine); next !== null; next = smallerAttempt(attempt, machine)) attempt = next;
  return attempt.adaptations;
}

describe('an attempt that ran out of memory', () => {
  test('is followed by smaller micro-batches of the same effective batch, then by less to keep', () => {
    expect(ladder({ ...params, gradientCheckpointing: false }, gpu)).toEqual([
      'out of memory: batchSize 4 to 2, gradientAccumulation 2 to 4: the same effective batch',
      'out of memory: batchSize 2 to 1, gradientAccumulation 4 to 8: the same effective batch',
      'out of memory: gradientCheckpointing on',
      'out of memory: optimizer adamw to adamw-8-bit',
    ]);
  });

  test('keeps to what the machine has', () => {
    expect(ladder({ ...params, batchSize: 1 }, { device: 'cpu', libraries: {} })).toEqual(['out of memory: gradientCheckpointing on']);
    expect(ladder({ ...params, batchSize: 1 }, { device: 'cuda', libraries: {} })).toEqual([]);
  });

  test('an odd batch goes to one, and nothing is learned otherwise', () => {
    const next = smallerAttempt({ params: { ...params, batchSize: 3 }, adaptations: [] }, gpu);
    expect(next?.params).toMatchObject({ batchSize: 1, gradientAccumulation: 6 });
  });

  test('a job that only answers takes fewer at a time; one that cannot be cut stays as it is', () => {
    expect(smallerAttempt({ params: { batchSize: 8, maxNewTokens: 9 }, adaptations: [] }, gpu)?.params).toMatchObject({ batchSize: 4 });
    expect(smallerAttempt({ params: { batchSize: 8 }, adaptations: [] }, gpu)).toBeNull();
  });
});
