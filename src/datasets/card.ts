import type { DatasetCard, GateReport, InstructionSample, LengthSummary, SplitName } from '../contracts/dataset.ts';
import type { SourceReference } from '../contracts/document.ts';
import { lengthOf } from './pieces.ts';

/** What is learned of a set while its rows pass by: nothing of their text is kept. */
export interface CardTally {
  add(split: SplitName, sample: InstructionSample): void;
  /** The card, once every row was added. */
  card(rest: { readonly dropped: DatasetCard['dropped']; readonly gate: GateReport }): DatasetCard;
}

/** Starts to count a set. */
export function tallyCard(): CardTally {
  const counts = { train: 0, validation: 0, test: 0 };
  const methods: Record<string, number> = {};
  const sources = new Map<string, SourceReference>();
  const instructions: number[] = [];
  const answers: number[] = [];
  return {
    add(split, sample) {
      counts[split] += 1;
      methods[sample.method] = (methods[sample.method] ?? 0) + 1;
      for (const source of sample.sources) sources.set(`${source.document} ${source.revision}`, source);
      instructions.push(lengthOf(sample.instruction));
      answers.push(lengthOf(sample.answer));
    },
    card({ dropped, gate }) {
      return {
        counts,
        lengths: answers.length === 0 ? null : { instruction: lengthSummary(instructions), answer: lengthSummary(answers) },
        methods,
        sources: [...sources.keys()].toSorted().map((key) => sources.get(key)!),
        dropped,
        gate,
      };
    },
  };
}

/** Minimum, median, 95th percentile (nearest rank) and maximum of some lengths, at least one. */
export function lengthSummary(lengths: readonly number[]): LengthSummary {
  const sorted = lengths.toSorted((left, right) => left - right);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  const middle = sorted.length / 2;
  return {
    minimum: sorted[0]!,
    median: sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2,
    percentile95: rank(0.95),
    maximum: sorted.at(-1)!,
  };
}
