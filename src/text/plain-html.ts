/** Elements whose content no reader sees as text. */
const INVISIBLE = new Set(['script', 'style', 'noscript', 'template', 'iframe', 'svg', 'canvas', 'object', 'head', 'title']);

/** What stands for a tag in the text; a tag that is not listed leaves nothing. */
const MARKS: Record<string, string> = {
  br: '\n',
  hr: '\n\n',
  li: '\n- ',
  tr: '\n',
  td: ' | ',
  th: ' | ',
  dt: '\n',
  dd: '\n',
  pre: '\n\n```\n',
  '/pre': '\n```\n\n',
  h1: '\n\n# ',
  h2: '\n\n## ',
  h3: '\n\n### ',
  h4: '\n\n#### ',
  h5: '\n\n##### ',
  h6: '\n\n###### ',
};
const BLOCKS =
  /^\/?(?:address|article|aside|blockquote|body|details|dialog|div|dl|fieldset|figcaption|figure|footer|form|h[1-6]|header|html|main|nav|ol|p|section|summary|table|ul)$/;

/**
 * The text of a page in one pass over its characters, with headings, list items, table cells and preformatted text as Markdown.
 * For pages that are too large or nested too deeply for a document tree; nothing is taken for boilerplate.
 */
export function plainHtml(html: string): string {
  const parts: string[] = [];
  let preformatted = false;
  let lineStarts = true;
  const push = (part: string): void => {
    const shown = lineStarts && !preformatted ? part.replace(/^ +/, '') : part;
    if (shown === '') return;
    parts.push(shown);
    lineStarts = shown.endsWith('\n');
  };
  for (let at = 0; at < html.length;) {
    const tag = nextTag(html, at);
    const text = decoded(html.slice(at, tag?.start ?? html.length));
    push(preformatted ? text : text.replace(/\s+/g, ' '));
    if (!tag) break;
    const { name } = tag;
    if (name === 'pre' || name === '/pre') preformatted = name === 'pre';
    push(MARKS[name] ?? (BLOCKS.test(name) ? '\n\n' : ''));
    at = INVISIBLE.has(name) ? closingTag(html, tag.end, name) : tag.end;
  }
  return parts
    .join('')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** The next tag, comment or declaration; a `<` that opens none is text. */
function nextTag(html: string, from: number): { start: number; end: number; name: string } | null {
  for (let start = html.indexOf('<', from); start !== -1; start = html.indexOf('<', start + 1)) {
    if (!/[a-z/!?]/i.test(html[start + 1] ?? '')) continue;
    const comment = html.startsWith('<!--', start);
    const close = html.indexOf(comment ? '-->' : '>', start);
    const end = close === -1 ? html.length : close + (comment ? 3 : 1);
    return { start, end, name: /^\/?[a-z][a-z0-9]*/i.exec(html.slice(start + 1, start + 20))?.[0].toLowerCase() ?? '' };
  }
  return null;
}

/** Offset of the tag that closes an element whose content is skipped, or the page's end. */
function closingTag(html: string, from: number, name: string): number {
  const closing = new RegExp(`</${name}[\\s>]`, 'gi');
  closing.lastIndex = from;
  return closing.exec(html)?.index ?? html.length;
}

const ENTITIES: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  rsquo: '’',
  lsquo: '‘',
  rdquo: '”',
  ldquo: '“',
};

function decoded(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi,
    (entity, decimal: string | undefined, hexadecimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? entity;
      const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd';
    },
  );
}
