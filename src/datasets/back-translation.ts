import { z } from 'zod';
import type { InstructionSample, SampledDocument } from '../contracts/dataset.ts';
import type { CleanDocument } from '../contracts/document.ts';
import type { Result } from '../contracts/problem.ts';
import { answersOf, instructionSample, unfitInstruction, type Answer, type AnswerLimits, type SectionText } from './instructions.ts';

const Reply = z.object({ instruction: z.string().trim().min(1) });

/** Samples of a document by back-translation: `ask` shows a model the author's text and gives its reply, and the text itself stays the answer. */
export async function backTranslateDocument(
  document: CleanDocument,
  sections: readonly SectionText[],
  limits: AnswerLimits,
  ask: (prompt: string) => Promise<string>,
): Promise<SampledDocument> {
  const { answers, skipped } = answersOf(document, sections, limits);
  const samples: InstructionSample[] = [];
  const seen = new Set<string>();
  for (const answer of answers) {
    const reply = parseBackTranslation(await ask(backTranslationPrompt(document, answer)));
    const reason = !reply.ok ? reply.error : seen.has(reply.value) ? 'repeated-instruction' : unfitInstruction(reply.value);
    if (reply.ok) seen.add(reply.value);
    if (reply.ok && reason === null) samples.push(instructionSample(document, answer, reply.value, 'back-translation'));
    else if (reason !== null) skipped[reason] = (skipped[reason] ?? 0) + 1;
  }
  return { document: document.id, sources: document.sources, samples, skipped };
}

/** What a chat model is asked, so that it writes the instruction whose answer the author has already given. */
export function backTranslationPrompt(document: Pick<CleanDocument, 'title'>, answer: Answer): string {
  const place = [...(document.title === null ? [] : [document.title]), ...answer.subject.path].join(' > ');
  return [
    'Below is a text that somebody wrote as an answer. Write the one instruction or question that it answers best.',
    'Rules: name the subject itself, and never speak of "the text", "the extract" or "the context", since the reader of the instruction will not see them;',
    'ask for nothing that the answer does not hold; one or two sentences; in the language of the answer.',
    'Reply with JSON and nothing else: {"instruction": "…"}',
    '',
    ...(place === '' ? [] : [`Where it stands: ${place}`]),
    'The answer:',
    answer.text,
  ].join('\n');
}

/** The instruction in a model's reply: its first JSON object, whatever stands around it, or why there is none. */
export function parseBackTranslation(reply: string): Result<string, 'no-json' | 'no-instruction'> {
  const opened = reply.slice(Math.max(0, reply.indexOf('{')));
  for (const { index: end } of opened.matchAll(/\}/g)) {
    const value = parseJson(opened.slice(0, end + 1));
    if (value === undefined) continue;
    const parsed = Reply.safeParse(value);
    return parsed.success ? { ok: true, value: parsed.data.instruction.replaceAll(/\s+/g, ' ') } : { ok: false, error: 'no-instruction' };
  }
  return { ok: false, error: 'no-json' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
