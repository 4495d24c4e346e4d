import { expect, test } from 'vitest';
import { bytes, counted, counters, duration, grouped } from '../../src/report/quantities.ts';

test('lengths of time are said as a person says them', () => {
  const said = [0, 44, 950, 9_949, 9_950, 59_499, 59_500, 61_000, 200_000, 3_599_000, 3_600_000, 7_500_000, 200_000_000].map(duration);
  expect(said).toEqual([
    '0.0 s',
    '0.0 s',
    '0.9 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min 00 s',
    '1 min 01 s',
    '3 min 20 s',
    '59 min 59 s',
    '1 h 00 min',
    '2 h 05 min',
    '2 d 7 h',
  ]);
});

test('amounts carry their noun and their thousands', () => {
  expect([counted(1, 'step'), counted(0, 'step'), counted(12_345, 'step'), counted(2, 'entry', 'entries')]).toEqual([
    '1 step',
    '0 steps',
    '12,345 steps',
    '2 entries',
  ]);
  expect([grouped(1234), grouped(0.123456)]).toEqual(['1,234', '0.1235']);
  expect([bytes(0), bytes(999), bytes(1000), bytes(4_940_000_000), bytes(250_000_000)]).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '4.9 GB',
    '250 MB',
  ]);
});

test('counters name drops last, by reason, and leave zeros out', () => {
  expect(counters({ 'dropped: empty': 1, documents: 900, errors: 0 })).toBe('900 documents, 1 dropped (empty)');
  expect(counters({ documents: 9, 'dropped: empty': 1, 'dropped: code-only': 2 })).toBe('9 documents, 3 dropped (empty 1, code only 2)');
  expect(counters({})).toBe('');
});

test('counters of driven map steps stand together, behind those of the step itself', () => {
  const counts = { 'clean: rows computed': 3, 'clean: dropped: no-text': 1, 'chunk: rows computed': 2, changes: 3, 'points-written': 12 };
  expect(counters(counts)).toBe('3 changes, 12 points written; clean: 3 rows computed, 1 dropped (no text); chunk: 2 rows computed');
});
