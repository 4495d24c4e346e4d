import type { GateFinding } from '../../contracts/dataset.ts';
import { findDuplicates, type IdentifiedText } from '../deduplicate.ts';
import { excerptOf, percent, shareFinding } from '../finding.ts';
import type { MinHashOptions } from '../minhash.ts';
import { wordsOf } from '../words.ts';

/** No text may come twice, in the same words or nearly so. `rows` names what is compared ("answers"). */
export async function checkDuplicates(texts: readonly IdentifiedText[], options: MinHashOptions, rows: string): Promise<GateFinding[]> {
  const duplicates = await findDuplicates(texts, options);
  const textOf = new Map(texts.map(({ id, text }) => [id, text]));
  const offences = (wanted: string) =>
    duplicates.filter(({ reason }) => reason === wanted).map(({ id }) => ({ id, excerpt: excerptOf(textOf.get(id)!) }));
  return [
    ...shareFinding('exact-duplicate', offences('exact-duplicate'), texts.length, 0, `${rows} repeat the words of another one`),
    ...shareFinding(
      'near-duplicate',
      offences('near-duplicate'),
      texts.length,
      0,
      `${rows} are near-duplicates of another one (${percent(options.threshold)} of their ${options.shingle}-word runs in common)`,
    ),
  ];
}

/** An instruction that asks twice for different answers teaches neither. */
export function checkRepeatedInstructions(instructions: readonly IdentifiedText[]): GateFinding[] {
  const seen = new Set<string>();
  const repeated = instructions.filter(({ text }) => {
    const key = wordsOf(text).join(' ') || text;
    const known = seen.has(key);
    seen.add(key);
    return known;
  });
  const offences = repeated.map(({ id, text }) => ({ id, excerpt: excerptOf(text) }));
  return shareFinding('repeated-instruction', offences, instructions.length, 0, 'samples repeat the instruction of another one');
}
