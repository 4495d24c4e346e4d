import { expect, test } from 'vitest';
import { ndcgAt, rankingScores, recallAt, reciprocalRank, sectionRanking } from '../../src/metrics/ranking.ts';

const ranked = Array.from({ length: 12 }, (_, index) => `p${index + 1}`);
const several = { ranked, relevant: new Set(['p2', 'p5', 'p8', 'p12']) };
const none = { ranked, relevant: new Set(['elsewhere']) };

test('recall counts the share of relevant passages within the cut-off', () => {
  expect(recallAt(1, several)).toBe(0);
  expect(recallAt(5, several)).toBe(0.5);
  expect(recallAt(100, several)).toBe(1);
});

test('the reciprocal rank is that of the first relevant passage', () => {
  expect(reciprocalRank(several)).toBe(0.5);
  expect(reciprocalRank(none)).toBe(0);
});

test('nDCG@10 is that of scikit-learn, with binary relevance', () => {
  expect(ndcgAt(10, several)).toBeCloseTo(0.5204732013389003, 12);
});

test('nDCG is 1 for the ideal order and 0 where nothing relevant came', () => {
  expect(ndcgAt(10, { ranked: ['a', 'b', 'c'], relevant: new Set(['b', 'a']) })).toBe(1);
  expect(ndcgAt(10, none)).toBe(0);
});

test('the figures of a question set are means over its questions', () => {
  const first = { ranked: ['a', 'b'], relevant: new Set(['a']) };
  const second = { ranked: ['a', 'b'], relevant: new Set(['b']) };
  expect(rankingScores([first, second], [1, 5])).toEqual({
    questions: 2,
    recallAt: { '1': 0.5, '5': 1 },
    meanReciprocalRank: 0.75,
    ndcg10: (1 + 1 / Math.log2(3)) / 2,
  });
});

test('an empty question set has no questions and scores 0', () => {
  expect(rankingScores([], [1])).toEqual({ questions: 0, recallAt: { '1': 0 }, meanReciprocalRank: 0, ndcg10: 0 });
});

const section = { document: 'guide', start: 10, end: 20 };
const passage = (document: string, start: number, end: number) => ({ document, start, end });

test('the first passage that overlaps the section is the one found', () => {
  const ranking = sectionRanking(section, [
    passage('guide', 0, 10),
    passage('other', 10, 20),
    passage('guide', 19, 30),
    passage('guide', 10, 20),
  ]);
  expect(reciprocalRank(ranking)).toBe(1 / 3);
  expect(recallAt(3, ranking)).toBe(1);
  expect(recallAt(2, ranking)).toBe(0);
});

test('a section that no passage overlaps is not found', () => {
  expect(reciprocalRank(sectionRanking(section, [passage('guide', 20, 30)]))).toBe(0);
});
