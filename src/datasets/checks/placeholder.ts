import type { GateFinding } from '../../contracts/dataset.ts';
import { excerptOf, shareFinding, type Offence } from '../finding.ts';
import { findDanglingReference, findPlaceholder } from '../placeholder.ts';

/** A row's texts that a model would learn to write or to answer. */
export interface LearnedTexts {
  readonly id: string;
  readonly texts: readonly string[];
}

/** No learned text may hold a slot of a template that was never filled, outside code. */
export function checkPlaceholders(rows: readonly LearnedTexts[]): GateFinding[] {
  return shareFinding(
    'unresolved-placeholder',
    offences(rows, findPlaceholder),
    rows.length,
    0,
    'samples hold an unresolved placeholder outside code',
  );
}

/** Instructions may not point at a text that the reader does not see, as those do that were written by a model about an extract. */
export function checkDanglingReferences(instructions: readonly LearnedTexts[], allowedShare: number): GateFinding[] {
  return shareFinding(
    'dangling-reference',
    offences(instructions, findDanglingReference),
    instructions.length,
    allowedShare,
    'instructions speak of a text that their reader does not see ("the extract", "the context")',
  );
}

function offences(rows: readonly LearnedTexts[], find: (text: string) => { readonly at: number } | null): Offence[] {
  return rows.flatMap(({ id, texts }): Offence[] => {
    for (const text of texts) {
      const found = find(text);
      if (found) return [{ id, excerpt: excerptOf(text, found.at) }];
    }
    return [];
  });
}
