import type { RetrievalQuestion } from '../contracts/dataset.ts';
import { canonicalJson, sha256, uuidv5 } from '../contracts/digest.ts';
import type { CleanDocument } from '../contracts/document.ts';
import { byId } from './deduplicate.ts';
import { answersOf, unfitInstruction, type AnswerLimits, type SectionText } from './instructions.ts';
import { phraseInstruction } from './phrasing.ts';

/** One question a section that can answer it: its headings asked, the section's whole text to be found. */
export function questionsOf(document: CleanDocument, sections: readonly SectionText[], limits: AnswerLimits): RetrievalQuestion[] {
  return sections.flatMap((section): RetrievalQuestion[] => {
    const answer = answersOf(document, [section], limits).answers[0];
    if (answer === undefined || section.headings.length === 0) return [];
    const question = phraseInstruction(answer.subject, canonicalJson(['retrieval-question', document.id, section.headings]));
    if (unfitInstruction(question) !== null) return [];
    return [
      {
        id: uuidv5(canonicalJson(['retrieval-question', document.id, question, section.text])),
        question,
        document: document.id,
        headings: [...section.headings],
        start: section.start,
        end: section.end,
        sources: document.sources,
      },
    ];
  });
}

/** At most `limit` questions, sorted by id: those whose hash is lowest, so that the choice is spread over the corpus and stays while it grows. A question that two sections would answer is left out. */
export function chooseQuestions(questions: readonly RetrievalQuestion[], limit: number): RetrievalQuestion[] {
  const asked = Map.groupBy(questions, ({ question }) => question);
  return questions
    .filter(({ question }) => asked.get(question)!.length === 1)
    .map((question) => ({ question, hash: sha256(question.id) }))
    .toSorted((left, right) => (left.hash < right.hash ? -1 : 1))
    .slice(0, limit)
    .map(({ question }) => question)
    .toSorted(byId);
}
