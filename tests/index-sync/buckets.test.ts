import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf, Buckets } from '../../src/index-sync/buckets.ts';

test('every record comes back from the bucket of its id, whether it waited in memory or lay in a file', async () => {
  const id = fc.stringMatching(/^[0-9a-f]{2}[0-9a-z]{3}$/);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(id, fc.string({ maxLength: 9000, minLength: 4000 })), { maxLength: 40 }), async (records) => {
      await using buckets = new Buckets<readonly [string, string]>();
      for (const record of records) await buckets.add(record);
      const back = [];
      for (const name of buckets.names) back.push(...(await buckets.read(name)));
      const byText = (one: readonly string[], other: readonly string[]) => (one.join() < other.join() ? -1 : 1);
      expect(back.toSorted(byText)).toEqual(records.toSorted(byText));
      for (const [first] of records) expect(buckets.names).toContain(bucketOf(first));
    }),
    { numRuns: 20 },
  );
});

test('a bucket that was never written is empty', async () => {
  await using buckets = new Buckets<readonly [string]>();
  expect(await buckets.read('00')).toEqual([]);
});
