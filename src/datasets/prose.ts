/** Markdown without its code: fenced and indented blocks and inline spans become blanks of equal length, so that offsets stay. */
export function withoutCode(text: string): string {
  let fence: string | null = null;
  let codeMayStart = true;
  const lines = text.split('\n').map((line) => {
    const mark = /^[\t >*-]*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== null) {
      if (mark?.startsWith(fence)) fence = null;
      return blank(line);
    }
    if (mark !== undefined) {
      fence = mark;
      return blank(line);
    }
    const indented = codeMayStart && /^(?: {4}|\t)/.test(line);
    codeMayStart = indented || line.trim() === '';
    return indented ? blank(line) : line;
  });
  return lines
    .join('\n')
    .split(/(\n[ \t]*\n)/)
    .map((paragraph) => paragraph.replaceAll(/(?<!`)(`+)(?!`)[^`](?:.*?[^`])??\1(?!`)/gs, blank))
    .join('');
}

/** Whether prose (text without its code) holds a sentence of five words, or of five characters in Chinese or Japanese. */
export function hasSentence(prose: string): boolean {
  return prose
    .replaceAll(/\]\([^()\s]*\)/g, ']')
    .split(/\n[ \t]*\n|(?<=[.!?:]["'”’)\]*_]*)\s|(?<=[。！？])/)
    .some((part) => (/[.!?:]["'”’)\]*_]*\s*$/.test(part) ? words(part) >= 5 : /[。！？]\s*$/.test(part) && part.length > 5));
}

function words(text: string): number {
  return text.match(/\p{L}[\p{L}\p{M}\p{N}'’-]*/gu)?.length ?? 0;
}

function blank(code: string): string {
  return code.replaceAll(/[^\n]/g, ' ');
}
