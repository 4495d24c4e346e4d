import type { GateFinding } from '../../contracts/dataset.ts';
import { excerptOf, shareFinding, type Offence } from '../finding.ts';
import { pacer } from '../pace.ts';
import { wordRuns, wordsOf } from '../words.ts';

/** An answer and where it claims to come from. */
export interface GroundedAnswer {
  readonly id: string;
  readonly answer: string;
  /** Null for a row that names no source. */
  readonly document: string | null;
  /** Offsets in code points of the document's cleaned text, where the row has them. */
  readonly slice: { readonly start: number; readonly end: number } | null;
}

/** How answers without offsets are compared with their source. */
export interface GroundingLimits {
  /** Words in the runs that are looked for in the source. */
  readonly run: number;
  /** The least share of an answer's runs that its source must hold. */
  readonly containment: number;
}

/**
 * Every answer must be the author's text: the very slice that it names, or else mostly runs of words that its document holds.
 * A row without a document is compared with the whole corpus; without a corpus there is nothing that could ground it.
 */
export async function checkGrounding(
  answers: readonly GroundedAnswer[],
  texts: ReadonlyMap<string, string>,
  limits: GroundingLimits,
): Promise<GateFinding[]> {
  const pace = pacer();
  const runsByDocument = new Map<string, Set<string>>();
  const runsOf = (document: string): Set<string> =>
    runsByDocument.getOrInsertComputed(document, () => wordRuns(wordsOf(texts.get(document)!), limits.run));
  let corpus: Set<string> | null = null;
  const runsOfCorpus = async (): Promise<Set<string>> => {
    if (corpus === null) {
      corpus = new Set();
      for (const document of texts.keys()) {
        for (const found of runsOf(document)) corpus.add(found);
        await pace();
      }
    }
    return corpus;
  };
  const characters = lastUsed((document: string) => [...texts.get(document)!]);

  const grounded = async ({ answer, document, slice }: GroundedAnswer): Promise<boolean> => {
    if (document === null) return containment(answer, await runsOfCorpus(), limits.run) >= limits.containment;
    const text = texts.get(document);
    if (text === undefined) return false;
    if (slice) return characters(document).slice(slice.start, slice.end).join('') === answer;
    return text.includes(answer) || containment(answer, runsOf(document), limits.run) >= limits.containment;
  };

  const offences: Offence[] = [];
  for (const answer of answers) {
    if (!(await grounded(answer))) offences.push({ id: answer.id, excerpt: excerptOf(answer.answer) });
    await pace();
  }
  return shareFinding('ungrounded-answer', offences, answers.length, 0, 'answers are not the text of their source document');
}

/** The share of a text's runs of words that are among the given ones; 0 for a text without words. */
export function containment(text: string, runs: ReadonlySet<string>, run: number): number {
  const own = wordRuns(wordsOf(text), run);
  return own.size === 0 ? 0 : own.intersection(runs).size / own.size;
}

/** Remembers the last result: rows of one document stand together. */
function lastUsed<Value>(compute: (key: string) => Value): (key: string) => Value {
  let last: { key: string; value: Value } | null = null;
  return (key) => (last?.key === key ? last : (last = { key, value: compute(key) })).value;
}
