import { sha256 } from '../contracts/digest.ts';

/** What a section is about: the document's title, if it has one, and the headings above the section without that title. */
export interface Subject {
  readonly title: string | null;
  readonly path: readonly string[];
}

/** The subject of a section, or null where neither title nor heading names it. */
export function subjectOf(title: string | null, headings: readonly string[]): Subject | null {
  const name = title ?? (headings.length > 1 ? headings[0]! : null);
  const path = headings.filter((heading, index) => index > 0 || heading.toLowerCase() !== name?.toLowerCase());
  return name === null && path.length === 0 ? null : { title: name, path };
}

const aboutSection = [
  (topic: string, title: string) => `What does ${title} say about ${topic}?`,
  (topic: string, title: string) => `Explain ${topic} as ${title} does.`,
  (topic: string, title: string) => `Write what stands under ${topic} in ${title}.`,
  (topic: string, title: string) => `Tell me about ${topic}, from ${title}.`,
  (topic: string, title: string) => `I am reading ${title}. What should I know about ${topic}?`,
];
const aboutTopic = [
  (topic: string) => `Explain ${topic}.`,
  (topic: string) => `What should I know about ${topic}?`,
  (topic: string) => `Tell me about ${topic}.`,
];
const aboutDocument = [
  (title: string) => `Introduce ${title}.`,
  (title: string) => `What is ${title} about?`,
  (title: string) => `How does ${title} begin?`,
  (title: string) => `Write the opening of ${title}.`,
];
const continuing = [
  (subject: string, before: string) => `Go on with ${subject}, after: ${before}`,
  (subject: string, before: string) => `Continue ${subject} from here: ${before}`,
  (subject: string, before: string) => `What comes next in ${subject}, after ${before}`,
];

/** Asks for the text of a section in words that a hash of `key` chooses, so that they vary and never change. */
export function phraseInstruction({ title, path }: Subject, key: string): string {
  const topic = quoted(path.join(' > '));
  if (path.length === 0) return pick(aboutDocument, key)(quoted(title!));
  if (/[?？]$/.test(path.at(-1)!))
    return title === null ? path.at(-1)! : `${path.at(-1)!} (${quoted([title, ...path.slice(0, -1)].join(' > '))})`;
  return title === null ? pick(aboutTopic, key)(topic) : pick(aboutSection, key)(topic, quoted(title));
}

/** Asks for what follows a piece of a section, quoting the last words of that piece. */
export function phraseContinuation({ title, path }: Subject, previous: string, key: string): string {
  return pick(continuing, key)(quoted([...(title === null ? [] : [title]), ...path].join(' > ')), quoted(lastWords(previous)));
}

/** The last words of a text on one line: its last sentence where that is short enough. */
function lastWords(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  const sentence = line.split(/(?<=[.!?])\s/).at(-1)!;
  if (sentence.length >= 20 && sentence.length <= 160) return sentence;
  const tail = [...line].slice(-120).join('');
  return tail.length === line.length ? tail : `… ${tail.slice(tail.indexOf(' ') + 1)}`;
}

function pick<Choice>(choices: readonly Choice[], key: string): Choice {
  return choices[Number.parseInt(sha256(key).slice(0, 8), 16) % choices.length]!;
}

function quoted(text: string): string {
  return `"${text}"`;
}
