import { appendFileSync, truncateSync } from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { MetricFile, metricPaths } from '../../src/curves/metric-file.ts';
import { metricsIn, readCurve } from '../../src/curves/read-curve.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

function pairs(count: number, from = 0, value: (step: number) => number = Math.sin): Float64Array {
  const numbers = new Float64Array(count * 2);
  for (let at = 0; at < count; at++) numbers.set([from + at, value(from + at)], at * 2);
  return numbers;
}

function write(...parts: readonly Float64Array[]): void {
  const file = new MetricFile(folder, 'train/loss.all');
  for (const part of parts) file.append(part);
  file.close();
}

const read = (buckets?: number) => readCurve(folder, 'train/loss.all', buckets)!;

describe('points of a metric', () => {
  test('few of them come back as they are, under the name that they have', () => {
    write(pairs(3, 10, (step) => step / 2));
    expect(metricsIn(folder)).toEqual(['train/loss.all']);
    expect(read()).toEqual({
      name: 'train/loss.all',
      points: 3,
      nonFinite: 0,
      last: { step: 12, value: 6 },
      min: 5,
      max: 6,
      buckets: [10, 11, 12].map((step) => ({ from: step, to: step, min: step / 2, max: step / 2, last: step / 2 })),
    });
  });

  test('a metric that was never written has no curve, and one without points an empty one', () => {
    expect(readCurve(folder, 'other')).toBe(null);
    write();
    expect(read()).toMatchObject({ points: 0, last: null, min: null, max: null, buckets: [] });
  });

  test('many of them come back in buckets that cover every one, and a single spike is seen', () => {
    write(pairs(300_000, 0, (step) => (step === 123_456 ? 99 : step === 299_999 ? -7 : 1)));
    const curve = read(200);
    expect(curve.buckets.length).toBeGreaterThan(100);
    expect(curve.buckets.length).toBeLessThanOrEqual(200);
    expect([curve.min, curve.max, curve.points]).toEqual([-7, 99, 300_000]);
    expect(curve.buckets.filter(({ max }) => max === 99)).toMatchObject([{ min: 1 }]);
    expect(curve.buckets.at(-1)).toMatchObject({ to: 299_999, min: -7, last: -7 });
    expect(curve.buckets.every(({ from }, at) => at === 0 || from === curve.buckets[at - 1]!.to + 1)).toBe(true);
  });

  test('what is no finite number is counted and drawn nowhere', () => {
    write(new Float64Array([1, NaN, 2, 5, 3, Infinity, 4, NaN]));
    expect(read()).toMatchObject({ points: 4, nonFinite: 3, min: 5, max: 5, buckets: [{ from: 2, to: 2 }], last: { step: 4, value: NaN } });
  });

  test('however they are cut into writes, the curve is the same', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 8 }), fc.integer({ min: 1, max: 50 }), (sizes, buckets) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const names = { whole: new MetricFile(folder, `whole${total}`), parts: `parts${total}-${sizes.join('-')}` };
        names.whole.close();
        const whole = new MetricFile(folder, `${names.parts} whole`);
        whole.append(pairs(total));
        whole.close();
        let from = 0;
        for (const size of sizes) {
          const part = new MetricFile(folder, names.parts);
          part.append(pairs(size, from));
          part.close();
          from += size;
        }
        if (sizes.length === 0) return;
        const { name: _one, ...one } = readCurve(folder, names.parts, buckets)!;
        const { name: _other, ...other } = readCurve(folder, `${names.parts} whole`, buckets)!;
        expect(one).toEqual(other);
      }),
      { numRuns: 30 },
    );
  });

  test('a crash in the middle of a write leaves whole points, and levels that are caught up with', () => {
    write(pairs(2000));
    const { points, spans } = metricPaths(folder, 'train/loss.all');
    const before = read(3);
    truncateSync(spans[0]!, 3 * 48 + 11);
    appendFileSync(points, Buffer.alloc(9));
    expect(read(3).points).toBe(2000);
    write(pairs(1, 2000));
    expect(read(3)).toMatchObject({ points: 2001, min: before.min, max: before.max });
  });

  test('a job that goes on from a checkpoint replaces the points from there on', () => {
    write(pairs(70_000));
    const file = new MetricFile(folder, 'train/loss.all');
    file.cutFrom(65_000);
    expect(file.lastStep).toBe(64_999);
    file.append(pairs(10, 65_000, () => 3));
    file.close();
    expect(read(100)).toMatchObject({ points: 65_010, max: 3, last: { step: 65_009, value: 3 } });
    expect(read(100).buckets.every(({ from }, at, all) => at === 0 || from === all[at - 1]!.to + 1)).toBe(true);
  });
});
