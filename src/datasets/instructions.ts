import type { InstructionMethod, InstructionSample, SampledDocument } from '../contracts/dataset.ts';
import { canonicalJson, uuidv5 } from '../contracts/digest.ts';
import type { CleanDocument } from '../contracts/document.ts';
import { phraseContinuation, phraseInstruction, subjectOf, type Subject } from './phrasing.ts';
import { lengthOf, piecesOf, type Piece, type Slice } from './pieces.ts';
import { findDanglingReference, findPlaceholder } from './placeholder.ts';
import { hasSentence } from './prose.ts';

/** A section of a cleaned document as `src/text` finds it. */
export interface SectionText extends Slice {
  readonly headings: readonly string[];
}

/** Lengths in code points that an answer must keep to; a longer section is cut into several answers. */
export interface AnswerLimits {
  readonly minimumCharacters: number;
  readonly maximumCharacters: number;
}

/** An answer with the headings that it stands under, and the piece of the same section before it, if any. */
export interface Answer extends Slice {
  readonly headings: readonly string[];
  readonly subject: Subject;
  readonly previous: Slice | null;
}

const longestInstruction = 500;

/** The slices of a document that can stand as answers, and why the others cannot, counted by reason. */
export function answersOf(
  document: Pick<CleanDocument, 'title' | 'contentType'>,
  sections: readonly SectionText[],
  limits: AnswerLimits,
): { readonly answers: Answer[]; readonly skipped: Record<string, number> } {
  const answers: Answer[] = [];
  const skipped: Record<string, number> = {};
  for (const section of sections) {
    const subject = subjectOf(document.title, section.headings);
    let previous: Slice | null = null;
    for (const piece of piecesOf(section, limits.maximumCharacters)) {
      const reason = document.contentType === 'code' ? 'code-document' : subject === null ? 'no-heading' : unfit(piece, limits);
      if (reason === null)
        answers.push({ text: piece.text, start: piece.start, end: piece.end, headings: section.headings, subject: subject!, previous });
      else skipped[reason] = (skipped[reason] ?? 0) + 1;
      previous = piece;
    }
  }
  return { answers, skipped };
}

/** Samples of a document by the heading-and-section method: the headings ask, and the author's own text answers. No instruction comes twice. */
export function sampleDocument(document: CleanDocument, sections: readonly SectionText[], limits: AnswerLimits): SampledDocument {
  const { answers, skipped } = answersOf(document, sections, limits);
  const samples: InstructionSample[] = [];
  const seen = new Set<string>();
  for (const answer of answers) {
    const key = canonicalJson([document.id, answer.headings, answer.text]);
    const instruction = answer.previous
      ? phraseContinuation(answer.subject, answer.previous.text, key)
      : phraseInstruction(answer.subject, key);
    const reason = seen.has(instruction) ? 'repeated-instruction' : unfitInstruction(instruction);
    seen.add(instruction);
    if (reason === null) samples.push(instructionSample(document, answer, instruction, 'heading-section'));
    else skipped[reason] = (skipped[reason] ?? 0) + 1;
  }
  return { document: document.id, sources: document.sources, samples, skipped };
}

/** The sample of an instruction and the slice that answers it. */
export function instructionSample(
  document: CleanDocument,
  answer: Answer,
  instruction: string,
  method: InstructionMethod,
): InstructionSample {
  return {
    id: uuidv5(canonicalJson(['instruction-sample', document.id, method, instruction, answer.text])),
    instruction,
    answer: answer.text,
    method,
    document: document.id,
    headings: [...answer.headings],
    start: answer.start,
    end: answer.end,
    sources: document.sources,
  };
}

/** Why an instruction cannot be used, or null: what a gate would refuse is not made in the first place. */
export function unfitInstruction(instruction: string): 'long-heading' | 'placeholder' | 'dangling-reference' | null {
  if (lengthOf(instruction) > longestInstruction) return 'long-heading';
  if (findPlaceholder(instruction) !== null) return 'placeholder';
  return findDanglingReference(instruction) === null ? null : 'dangling-reference';
}

function unfit({ text, prose }: Piece, limits: AnswerLimits): string | null {
  const length = lengthOf(text);
  if (length < limits.minimumCharacters) return 'too-short';
  if (length > limits.maximumCharacters) return 'too-long';
  if (prose.trim() === '') return 'code-only';
  if (!hasSentence(prose)) return 'no-sentence';
  return findPlaceholder(text) === null ? null : 'placeholder';
}
