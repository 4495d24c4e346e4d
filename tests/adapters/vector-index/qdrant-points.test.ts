import { expect, test } from 'vitest';
import { batchesOf, pointStruct, shortNumbers, unitVector } from '../../../src/adapters/vector-index/qdrant-points.ts';
import { examplePoint } from '../../conformance/vector-index.ts';

test('a batch is closed at 128 points', () => {
  const points = Array.from({ length: 300 }, (_, n) => examplePoint('a', n, [1, 0, 0]));
  expect([...batchesOf(points)].map((batches) => batches.map((batch) => batch.points.length))).toEqual([[128], [128], [44]]);
});

test('a batch is closed before it grows over 16 MiB, as JSON and not as text', () => {
  // Six characters of JSON each.
  const text = '\u0001'.repeat(1_000_000);
  const sizes = [...batchesOf([0, 1, 2, 3, 4].map((n) => examplePoint('a', n, [1], { text })))].map((batches) =>
    Buffer.byteLength(JSON.stringify(batches)),
  );
  expect(sizes).toHaveLength(3);
  for (const size of sizes) expect(size).toBeLessThan(16.1 * 1024 * 1024);
});

test('points of one version stand together, as a version is what a write is guarded by', () => {
  const versions = [1, 1, 2, 1].map((version, n) => examplePoint('a', n, [1], { version }));
  expect([...batchesOf(versions)].map((batches) => batches.map(({ version, points }) => [version, points.length]))).toEqual([
    [
      [1, 2],
      [2, 1],
      [1, 1],
    ],
  ]);
});

test('the digits that are sent give every float32 back', () => {
  const values = Float32Array.from({ length: 20_000 }, (_, n) => Math.sin(n * 7.3) * 10 ** ((n % 60) - 30));
  const sent = JSON.parse(JSON.stringify(shortNumbers(values))) as number[];
  expect(Float32Array.from(sent)).toEqual(values);
});

test('a vector without a direction stays as it is', () => {
  expect(unitVector(Float32Array.of(0, 0))).toEqual(Float32Array.of(0, 0));
  expect(unitVector(Float32Array.of(3, 4))).toEqual(Float32Array.of(0.6, 0.8));
});

test('a text without terms has no sparse vector, and a repeated term weighs less each time', () => {
  expect(pointStruct({ ...examplePoint('a', 0, [1]), terms: [] }).vector).toEqual({ dense: [1] });
  const { sparse } = pointStruct(examplePoint('a', 0, [1], { text: 'fox fox fox dog' })).vector as unknown as {
    sparse: { values: number[] };
  };
  expect(sparse.values).toHaveLength(2);
  expect(sparse.values[0]).toBeGreaterThan(sparse.values[1]!);
  expect(sparse.values[0]).toBeLessThan(3 * sparse.values[1]!);
});
