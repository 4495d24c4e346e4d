import { describe, expect, test } from 'vitest';
import type { JobEvent } from '../../src/contracts/worker-protocol.ts';
import { plainStyle } from '../../src/report/style.ts';
import { beatText, jobsComparedText, jobText } from '../../src/report/results/job-view.ts';
import { JobFold } from '../../src/workers/job-view.ts';

const line = { type: 'job', id: '1f9b', job: 'train-sft', state: 'running', attempt: 2, pid: 7, exit: null, folder: '/jobs/1f9b' } as const;
const of = { line, params: { batchSize: 4, lora: { rank: 8 } }, adaptations: [], usage: null, pricePerHour: 3.6 };

/** Events of attempts as [attempt, seconds, type, data]. */
function folded(...events: readonly (readonly [number, number, JobEvent['type'], object])[]): JobFold {
  const fold = new JobFold();
  for (const [index, [attempt, t, type, data]] of events.entries()) {
    fold.take({ v: 1, job: 'x', attempt, seq: index + 1, t, wall: '2026-01-01T00:00:00.000Z', type, data } as JobEvent);
  }
  return fold;
}

const trained = folded(
  [1, 100, 'hello', { pid: 1, device: 'cpu', libraries: {} }],
  [1, 101, 'phase', { name: 'train' }],
  [1, 102, 'progress', { done: 1, total: 10, unit: 'steps' }],
  [1, 102, 'metric', { points: { loss: [[1, 4]] } }],
  [1, 104, 'progress', { done: 2, total: 10, unit: 'steps' }],
  [1, 104, 'metric', { points: { loss: [[2, 3]] } }],
  [1, 104, 'phase', { name: 'checkpoint' }],
  [1, 105, 'checkpoint', { step: 2, path: '/c', seconds: 0.5 }],
  [1, 105, 'phase', { name: 'train' }],
  [1, 106, 'metric', { points: { loss: [[3, 'NaN']] } }],
  // Another boot: another monotonic clock.
  [2, 10, 'hello', { pid: 2, device: 'cpu', libraries: {} }],
  [2, 11, 'phase', { name: 'train' }],
  [2, 12, 'progress', { done: 3, total: 10, unit: 'steps' }],
  [2, 12, 'metric', { points: { loss: [[3, 2]], grad_norm: [[3, 0.5]] } }],
  [2, 14, 'progress', { done: 4, total: 10, unit: 'steps' }],
  [2, 14, 'heartbeat', { residentBytes: 1_500_000_000 }],
);

describe('what is known of a job', () => {
  test('is added up over its attempts, each with its own clock', () => {
    const view = trained.view(of);
    expect(view).toMatchObject({ seconds: 10, phase: 'train', progress: { done: 4, total: 10 }, checkpoint: { step: 2 } });
    expect(view.etaSeconds).toBeCloseTo(12);
    expect(view.cost).toBeCloseTo(0.01);
    expect(view.metrics[0]).toMatchObject({ name: 'loss', points: 3, first: 4, last: 2, min: 2, max: 4, series: [4, 3, 2] });
  });

  test('a point that a further attempt makes again replaces the first one', () => {
    const view = folded(
      [
        1,
        0,
        'metric',
        {
          points: {
            loss: [
              [1, 4],
              [2, 9],
            ],
          },
        },
      ],
      [2, 0, 'metric', { points: { loss: [[2, 3]] } }],
    ).view(of);
    expect(view.metrics[0]?.series).toEqual([4, 3]);
  });

  test('is said in one line while it runs', () => {
    expect(beatText(trained.view(of), plainStyle)).toBe('train  4/10 steps, 12 s left · loss 2 · grad norm 0.5 · 1.5 GB · $0.01');
  });

  test('is shown with its curves', () => {
    const text = jobText(trained.view(of), plainStyle);
    expect(text.split('\n')[0]).toBe('train-sft 1f9b: running');
    expect(text).toContain('progress    4/10 steps, 12 s left');
    expect(text).toContain('params      batchSize 4, lora.rank 8');
    expect(text).toMatch(/loss +█▅▁ +4 +2 +2 to 4 +3/);
  });

  test('jobs are compared by what differs', () => {
    const other = { ...of, line: { ...line, id: '77c0' }, params: { batchSize: 4, lora: { rank: 16 } } };
    const text = jobsComparedText([trained.view(of), trained.view(other)], plainStyle);
    expect(text).toMatch(/lora\.rank +8 +16/);
    expect(text).not.toContain('batchSize');
  });
});
