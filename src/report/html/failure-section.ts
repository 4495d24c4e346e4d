import type { FailureCard } from '../../contracts/failure-card.ts';
import { classWords, frameWords, similarWords, sinceWords } from '../failure-words.ts';
import { counted } from '../quantities.ts';
import { type Markup, markup } from './markup.ts';
import { logBlock } from './step-list.ts';

/** A card for each step that failed. */
export function failureSection(failures: readonly FailureCard[]): Markup {
  return markup`${failures.map(failureCard)}`;
}

function failureCard(card: FailureCard): Markup {
  const { problem, frame } = card;
  const tries = card.attempts > 1 ? `, after ${counted(card.attempts, 'attempt')}` : '';
  const similar = similarWords(card.similar);
  const since = sinceWords(card.since, 12);
  return markup`<article class="failure">
    <h3>✗ <a href="#step-${encodeURIComponent(card.step)}">${card.step}</a> <small>${classWords(card.class)}${tries}</small></h3>
    <p class="message">${problem.message}</p>
    <dl>
      ${field('at', problem.where === card.step ? undefined : problem.where)}${field('expected', problem.expected)}${field('found', problem.found)}${field('what to do', problem.hint)}${similar === null ? null : field('before', similar)}${since.length === 0 ? null : field('since', since.join('\n'))}
    </dl>
    ${
      frame === null
        ? null
        : markup`<h4>${frameWords(frame)}</h4>
            ${frame.source.length === 0 ? null : markup`<pre class="source">${frame.source.map(({ line, text }) => markup`<span class="${line === frame.line ? 'here' : 'near'}"><i>${line}</i>${text}</span> `)}</pre>`}`
    }
    ${
      card.lastLines.length === 0
        ? null
        : markup`<h4>Last lines</h4>
            ${logBlock(card.lastLines)}`
    }
    <p class="resume">Go on from here: <code>${card.resume}</code></p>
  </article>`;
}

function field(name: string, text: string | undefined): Markup | null {
  return text === undefined
    ? null
    : markup`<dt>${name}</dt>
        <dd>${text}</dd>`;
}
