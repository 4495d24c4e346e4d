import { withoutCode } from './prose.ts';

const htmlElements = new Set(
  (
    'a abbr address article aside audio b blockquote body br button canvas caption center cite code col colgroup data dd del details dfn div dl dt em embed ' +
    'fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins kbd label legend li link main mark meta nav ' +
    'noscript object ol option p param picture pre progress q s samp script section select small source span strike strong style sub summary sup svg table ' +
    'tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr'
  ).split(' '),
);

const forms = [
  /\{\{\s*[\p{L}_][\p{L}\p{N}_.\s-]{0,60}\}\}/u,
  /\$\{[\p{L}_][\p{L}\p{N}_.]{0,60}\}/u,
  // Not after a letter, a brace or the marks that mathematics puts before a group.
  /(?<![\p{L}\p{N}\\^_{}$])\{[\p{L}_][\p{L}\p{N}_ -]{1,40}\}/u,
  /\[(?:insert|your|placeholder|todo)\b[^\]\n]{0,60}\](?![([])/iu,
];
const tag = /(?<![\p{L}\p{N}])<(\p{L}[\p{L}\p{N}]*(?:[ _-][\p{L}\p{N}]+){0,4})>/gu;

/** A slot that a template left unfilled, outside code (`{extract}`, `{{ name }}`, `<your-name>`, `[insert date]`): its text and offset, or null. */
export function findPlaceholder(text: string): { readonly text: string; readonly at: number } | null {
  const prose = withoutCode(text);
  const found = forms.flatMap((form) => {
    const match = form.exec(prose);
    return match ? [{ text: match[0], at: match.index }] : [];
  });
  for (const match of prose.matchAll(tag)) {
    if (!htmlElements.has(match[1]!.split(' ')[0]!.toLowerCase())) found.push({ text: match[0], at: match.index });
  }
  return found.toSorted((left, right) => left.at - right.at)[0] ?? null;
}

/**
 * Words by which an instruction points at a text that its reader does not have: what is left of the prompt that made it.
 * Null where there are none.
 */
export function findDanglingReference(instruction: string): { readonly text: string; readonly at: number } | null {
  const match =
    /\b(?:the|this) (?:extract|excerpt)\b|\b(?:the|this) (?:provided|given|above|following) (?:text|context|passage|document|content)\b|\b(?:the|this) (?:context|passage) (?:mention|discuss|describe|present|suggest|provide|define|explain|say|relate|state)s?\b|\b(?:mentioned|discussed|described|presented|suggested|provided|highlighted|outlined) in the (?:context|text|passage|document)\b(?! of\b)|\b(?:according to|does|from|in) the (?:context|passage)\b(?! of\b)/i.exec(
      instruction,
    );
  return match ? { text: match[0], at: match.index } : null;
}
