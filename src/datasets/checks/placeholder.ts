import type { GateFinding } from '../../contracts/dataset.ts';
import { excerptOf, shareFinding, type Offence } from '../finding.ts';
import { pacer } from '../pace.ts';
import { findDanglingReference, findPlaceholder } from '../placeholder.ts';

/** A row's texts that a model would learn to write or to answer. */
export interface LearnedTexts {
  readonly id: string;
  readonly texts: readonly string[];
}

/** No learned text may hold a slot of a template that was never filled, outside code. */
export async function checkPlaceholders(rows: readonly LearnedTexts[]): Promise<GateFinding[]> {
  return shareFinding(
    'unresolved-placeholder',
    await offences(rows, findPlaceholder),
    rows.length,
    0,
    'samples hold an unresolved placeholder outside code',
  );
}

/** Instructions may not point at a text that the reader does not see, as those do that were written by a model about an extract. */
export async function checkDanglingReferences(instructions: readonly LearnedTexts[], allowedShare: number): Promise<GateFinding[]> {
  return shareFinding(
    'dangling-reference',
    await offences(instructions, findDanglingReference),
    instructions.length,
    allowedShare,
    'instructions speak of a text that their reader does not see ("the extract", "the context")',
  );
}

async function offences(rows: readonly LearnedTexts[], find: (text: string) => { readonly at: number } | null): Promise<Offence[]> {
  const pace = pacer();
  const found: Offence[] = [];
  for (const { id, texts } of rows) {
    const text = texts.find((each) => find(each) !== null);
    if (text !== undefined) found.push({ id, excerpt: excerptOf(text, find(text)!.at) });
    await pace();
  }
  return found;
}
