/** What a search returned for one question, best first, and what it should have found. */
export interface Ranking {
  /** Ids in order of rank; each at most once. */
  readonly ranked: readonly string[];
  /** The relevant ids; at least one. */
  readonly relevant: ReadonlySet<string>;
}

/** The share of the relevant ids among the first k. */
export function recallAt(k: number, { ranked, relevant }: Ranking): number {
  return ranked.slice(0, k).filter((id) => relevant.has(id)).length / relevant.size;
}

/** One over the rank of the first relevant id, 0 where none was returned. */
export function reciprocalRank({ ranked, relevant }: Ranking): number {
  const position = ranked.findIndex((id) => relevant.has(id));
  return position < 0 ? 0 : 1 / (position + 1);
}

/** Normalized discounted cumulative gain among the first k, with binary relevance and a discount of log2(rank + 1) (Järvelin and Kekäläinen 2002). */
export function ndcgAt(k: number, { ranked, relevant }: Ranking): number {
  let gain = 0;
  for (const [position, id] of ranked.slice(0, k).entries()) if (relevant.has(id)) gain += 1 / Math.log2(position + 2);
  let ideal = 0;
  for (let position = 0; position < Math.min(k, relevant.size); position++) ideal += 1 / Math.log2(position + 2);
  return gain / ideal;
}

/** The figures of a question set: the mean of each over its questions, 0 for an empty set. */
export function rankingScores(
  rankings: readonly Ranking[],
  cutOffs: readonly number[],
): { questions: number; recallAt: Record<string, number>; meanReciprocalRank: number; ndcg10: number } {
  const mean = (score: (ranking: Ranking) => number): number =>
    rankings.length === 0 ? 0 : rankings.reduce((sum, ranking) => sum + score(ranking), 0) / rankings.length;
  return {
    questions: rankings.length,
    recallAt: Object.fromEntries(cutOffs.map((k) => [String(k), mean((ranking) => recallAt(k, ranking))])),
    meanReciprocalRank: mean(reciprocalRank),
    ndcg10: mean((ranking) => ndcgAt(10, ranking)),
  };
}

/** A slice of a document, in code points of its cleaned text. */
export interface PlacedSlice {
  readonly document: string;
  readonly start: number;
  readonly end: number;
}

/** The ranking of a search for one section: the first passage that overlaps it counts as the section found, further ones as nothing. */
export function sectionRanking(section: PlacedSlice, passages: readonly PlacedSlice[]): Ranking {
  const first = passages.findIndex(
    ({ document, start, end }) => document === section.document && start < section.end && section.start < end,
  );
  return {
    ranked: passages.map((_, position) => (position === first ? 'section' : `passage ${position}`)),
    relevant: new Set(['section']),
  };
}
