import type { MetricWithInterval } from '../contracts/evaluation.ts';
import { randomFrom } from './random.ts';

/** One item under both models, as sufficient statistics: vectors whose sums over items determine the corpus figure. */
export interface PairedItem {
  /** What is drawn as a whole, because items within it are not independent: the source document. */
  readonly cluster: string;
  readonly candidate: readonly number[];
  readonly opponent: readonly number[];
}

/** How often and from which seed to draw, and how much the interval shall cover. */
export interface BootstrapOptions {
  /** At least 1,000. */
  readonly resamples: number;
  readonly seed: number;
  readonly confidence: number;
}

/**
 * The difference candidate - opponent of a corpus figure, with a percentile interval from a paired, clustered bootstrap (Efron and Tibshirani 1993):
 * clusters are drawn with replacement, both models on the same draw, and the figure is computed anew from the summed statistics.
 * `statistic` maps summed vectors to the figure. Throws for no item.
 */
export function pairedBootstrap(
  items: readonly PairedItem[],
  statistic: (sums: Float64Array) => number,
  options: BootstrapOptions,
): MetricWithInterval {
  if (options.resamples < 1000) throw new RangeError(`A bootstrap needs 1,000 resamples or more, found ${options.resamples}`);
  const clusters = sumByCluster(items);
  const first = clusters[0];
  if (first === undefined) throw new RangeError('A bootstrap needs an item');
  const width = first.candidate.length;

  const differenceOver = (drawn: Iterable<ClusterSums>): number => {
    const candidate = new Float64Array(width);
    const opponent = new Float64Array(width);
    for (const cluster of drawn) {
      for (let part = 0; part < width; part++) {
        candidate[part]! += cluster.candidate[part]!;
        opponent[part]! += cluster.opponent[part]!;
      }
    }
    return statistic(candidate) - statistic(opponent);
  };

  const random = randomFrom(options.seed);
  const differences = new Float64Array(options.resamples);
  for (let resample = 0; resample < options.resamples; resample++) {
    differences[resample] = differenceOver(clusters.map(() => clusters[random.below(clusters.length)]!));
  }
  differences.sort();
  const tail = (1 - options.confidence) / 2;
  return {
    value: differenceOver(clusters),
    low: quantile(differences, tail),
    high: quantile(differences, 1 - tail),
    confidence: options.confidence,
  };
}

interface ClusterSums {
  readonly candidate: Float64Array;
  readonly opponent: Float64Array;
}

/** Sums by cluster, in order of the clusters' names, so that the order of items does not matter. */
function sumByCluster(items: readonly PairedItem[]): readonly ClusterSums[] {
  const sums = new Map<string, ClusterSums>();
  for (const item of items) {
    const { candidate, opponent } = sums.getOrInsertComputed(item.cluster, () => ({
      candidate: new Float64Array(item.candidate.length),
      opponent: new Float64Array(item.candidate.length),
    }));
    for (let part = 0; part < candidate.length; part++) {
      candidate[part]! += item.candidate[part]!;
      opponent[part]! += item.opponent[part]!;
    }
  }
  return [...sums.keys()].toSorted().map((name) => sums.get(name)!);
}

/** The quantile of sorted values, interpolated linearly between neighbours (type 7 of Hyndman and Fan 1996, as NumPy does by default). */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const lower = sorted[below]!;
  const upper = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return lower + (upper - lower) * (position - below);
}
