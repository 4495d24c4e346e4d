import type { GateFinding, SplitName } from '../../contracts/dataset.ts';
import { findContamination } from '../decontaminate.ts';
import { excerptOf, shareFinding, type Offence } from '../finding.ts';
import { nearDuplicatePairs, shinglesOfAll, type MinHashOptions } from '../minhash.ts';
import { wordsOf } from '../words.ts';

/** What a sample shows of itself to the search for leaks. */
export interface SplitText {
  readonly id: string;
  readonly split: SplitName;
  readonly document: string | null;
  readonly instruction: string;
  readonly answer: string;
}

/** A held-out split may share no document, no instruction, no answer (nearly) and no long run of words with what is trained on. */
export async function checkLeakage(samples: readonly SplitText[], options: MinHashOptions, run: number): Promise<GateFinding[]> {
  const held = samples.filter(({ split }) => split !== 'train');
  const finding = (check: string, offences: readonly Offence[], what: string): GateFinding[] =>
    shareFinding(check, offences, held.length, 0, `held-out samples ${what}`);
  const offencesOf = (leaked: ReadonlySet<string>, show: (sample: SplitText) => string): Offence[] =>
    held.filter(({ id }) => leaked.has(id)).map((sample) => ({ id: sample.id, excerpt: excerptOf(show(sample)) }));

  const sharedBy = (key: (sample: SplitText) => string | null): Set<string> => {
    const trained = new Set(samples.filter(({ split }) => split === 'train').map(key));
    return new Set(held.filter((sample) => key(sample) !== null && trained.has(key(sample))).map(({ id }) => id));
  };
  return [
    ...finding(
      'document-leak',
      offencesOf(
        sharedBy(({ document }) => document),
        ({ document }) => document!,
      ),
      'come from a document that is trained on',
    ),
    ...finding(
      'instruction-leak',
      offencesOf(
        sharedBy(({ instruction }) => wordsOf(instruction).join(' ') || null),
        ({ instruction }) => instruction,
      ),
      'ask what training asks, in the same words',
    ),
    ...finding(
      'answer-leak',
      offencesOf(await nearCopies(samples, options), ({ answer }) => answer),
      'have an answer that is trained on, or nearly that one',
    ),
    ...finding(
      'overlap-leak',
      offencesOf(await overlapping(samples, held, run), ({ answer }) => answer),
      `share a run of ${run} words with an answer that is trained on`,
    ),
  ];
}

/** Held-out samples whose answer resembles one that is trained on. */
async function nearCopies(samples: readonly SplitText[], options: MinHashOptions): Promise<Set<string>> {
  const leaked = new Set<string>();
  const shingles = await shinglesOfAll(
    samples.map(({ answer }) => answer),
    options.shingle,
  );
  for (const pair of await nearDuplicatePairs(shingles, options)) {
    const [left, right] = pair.map((index) => samples[index]!) as [SplitText, SplitText];
    if (left.split === 'train' && right.split !== 'train') leaked.add(right.id);
    if (right.split === 'train' && left.split !== 'train') leaked.add(left.id);
  }
  return leaked;
}

/** Held-out samples that training samples overlap: at least one for each such training sample. */
async function overlapping(samples: readonly SplitText[], held: readonly SplitText[], run: number): Promise<Set<string>> {
  const texts = (rows: readonly SplitText[]) => rows.map(({ id, answer }) => ({ id, text: answer }));
  const trained = samples.filter(({ split }) => split === 'train');
  const found = await findContamination(texts(trained), texts(held), run);
  return new Set(found.map(({ heldOut }) => heldOut));
}
