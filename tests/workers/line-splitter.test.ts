import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../src/workers/line-splitter.ts';

test('lines are those of the whole text, wherever it is cut', () => {
  const piece = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '\r', '\u2028', '\n\n'));
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(60)), (pieces, cuts) => {
      const bytes = Buffer.from(pieces.join(''));
      const splitter = new LineSplitter();
      const ends = [...new Set([...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length])].toSorted((a, b) => a - b);
      const lines = ends.flatMap((end, index) => splitter.push(bytes.subarray(index === 0 ? 0 : ends[index - 1], end)));
      expect([...lines, splitter.rest()]).toEqual(bytes.toString().split('\n'));
    }),
  );
});
