import type { Answer, AnswerPassage } from '../../contracts/results.ts';
import { duration } from '../quantities.ts';
import type { Style } from '../style.ts';

/** How much of a passage is shown, in characters. */
const shownCharacters = 300;

/** A question, its answer where a model gave one, and the passages that it stands on. */
export function answerText({ question, answer, passages, model, timings }: Answer, style: Style): string {
  const lines = [style('bold', question), ''];
  if (answer !== null) lines.push(answer, '', style('dim', `answered by ${model ?? 'an unnamed model'} from:`));
  else if (passages.length > 0)
    lines.push(style('dim', 'No chat model is configured, so these passages are the answer (chatModel in configs/local.yaml):'));
  if (passages.length === 0)
    lines.push('Nothing in the index fits this question.', `${style('cyan', '→')} twin collect PATH, then twin run feature-pipeline`);
  for (const [at, passage] of passages.entries()) lines.push('', ...passageLines(passage, at + 1, style));
  const told = Object.entries(timings).map(([stage, ms]) => `${stage} ${ms < 1000 ? `${Math.round(ms)} ms` : duration(ms)}`);
  if (told.length > 0) lines.push('', style('dim', told.join(', ')));
  return lines.join('\n');
}

function passageLines(
  { address, title, heading, start, end, score, text }: AnswerPassage,
  number: number,
  style: Style,
): readonly string[] {
  const place = [heading === '' ? (title ?? '') : heading].filter((part) => part !== '');
  const shown = text.length > shownCharacters ? `${text.slice(0, shownCharacters).replace(/\s+\S*$/, '')} …` : text;
  return [
    `${style('cyan', `[${number}]`)} ${style('bold', [address, ...place].join(' › '))}`,
    style('dim', `    characters ${start} to ${end}, score ${score.toFixed(3)}`),
    ...shown
      .trim()
      .split('\n')
      .map((line) => `    ${line}`.trimEnd()),
  ];
}
