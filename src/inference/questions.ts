import { uuidv5 } from '../contracts/digest.ts';
import { Question } from '../contracts/inference.ts';

/** The questions of a file, and the lines that hold none. */
export interface ParsedQuestions {
  readonly questions: readonly Question[];
  readonly rejected: readonly { readonly line: number; readonly message: string }[];
}

function parseLine(text: string): Question {
  if (!text.startsWith('{')) return { id: uuidv5(text), question: text };
  const { question, id } = JSON.parse(text) as { question?: unknown; id?: unknown };
  return Question.parse({ id: id ?? uuidv5(String(question)), question });
}

/** Reads questions: plain text one a line, or JSON with `question` and an optional `id`. Blank lines and lines that begin with # are none; a repeated id is rejected. */
export function parseQuestions(text: string): ParsedQuestions {
  const questions = new Map<string, Question>();
  const rejected: { line: number; message: string }[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    try {
      const question = parseLine(trimmed);
      if (questions.has(question.id)) rejected.push({ line: index + 1, message: 'the same question stands above' });
      else questions.set(question.id, question);
    } catch {
      rejected.push({ line: index + 1, message: 'not a question: expected text, or JSON with a string `question`' });
    }
  }
  return { questions: [...questions.values()], rejected };
}
