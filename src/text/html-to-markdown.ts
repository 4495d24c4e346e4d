import type TurndownService from 'turndown';

/** What is asked of an element of a parsed page. */
export interface HtmlElement {
  readonly nodeName: string;
  readonly textContent: string;
  readonly parentNode: HtmlElement | null;
  /** Text nodes included. */
  readonly childNodes: ArrayLike<HtmlElement>;
  readonly children: ArrayLike<HtmlElement>;
  getAttribute(name: string): string | null;
  querySelector(selector: string): HtmlElement | null;
  querySelectorAll(selector: string): Iterable<HtmlElement>;
  replaceWith(text: string): void;
  remove(): void;
}

/** Markdown of an element: headings with hash marks, fenced code with its language, tables with their cells, no base64 images. */
export function htmlToMarkdown(element: HtmlElement, Turndown: typeof TurndownService): string {
  for (const image of element.querySelectorAll('img[src^="data:"]')) image.replaceWith(image.getAttribute('alt') ?? '');
  for (const lineBreak of element.querySelectorAll('pre br')) lineBreak.replaceWith('\n');
  const service = new Turndown({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-', hr: '---', emDelimiter: '*' });
  service.escape = escapeBlockStart;
  service.addRule('preformatted', { filter: 'pre', replacement: (_content, node) => fenced(node) });
  service.addRule('cell', {
    filter: ['th', 'td'],
    replacement: (content, node) => (isGrid(tableOf(node)) ? `| ${cellText(content)} ` : `\n\n${content}\n\n`),
  });
  service.addRule('row', { filter: 'tr', replacement: (content, node) => row(content, node) });
  service.addRule('rows', { filter: ['thead', 'tbody', 'tfoot'], replacement: (content) => content.replace(/\n+$/, '') });
  service.addRule('item', { filter: 'li', replacement: (content, node) => item(content, node) });
  service.addRule('table', { filter: 'table', replacement: (content) => `\n\n${content.trim()}\n\n` });
  return service.turndown(element);
}

/** Only what would begin a block is escaped: an identifier shall stay as it is written. */
function escapeBlockStart(text: string): string {
  return text.replace(/^(?=#{1,6}\s|[-+*>]\s|```|~~~|={3,}\s*$|-{3,}\s*$)/, '\\');
}

function fenced(element: HtmlElement): string {
  const code = element.textContent.replace(/\n+$/, '').replace(/^\n/, '');
  const classes = `${element.getAttribute('class') ?? ''} ${element.querySelector('code')?.getAttribute('class') ?? ''}`;
  const language = /\b(?:language|lang|highlight-source)-([\w+#-]+)/.exec(classes)?.[1] ?? '';
  const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `\n\n${fence}${language}\n${code}\n${fence}\n\n`;
}

/** A list item with the indent that its own marker asks for. */
function item(content: string, element: HtmlElement): string {
  const list = element.parentNode;
  const ordered = list?.nodeName === 'OL';
  const marker = ordered ? `${Number(list.getAttribute('start') ?? 1) + Array.from(list.children).indexOf(element)}. ` : '- ';
  const body = content.trim().replace(/\n(?=.)/g, `\n${' '.repeat(marker.length)}`);
  return `${marker}${body}\n`;
}

function tableOf(element: HtmlElement): HtmlElement | null {
  let table = element.parentNode;
  while (table && table.nodeName !== 'TABLE') table = table.parentNode;
  return table;
}

const grids = new WeakMap<HtmlElement, boolean>();

/** Whether a table holds data rather than a page's layout: several columns, and no blocks in its cells. */
function isGrid(table: HtmlElement | null): boolean {
  if (!table) return false;
  const known = grids.get(table);
  if (known !== undefined) return known;
  const columns = table.querySelector('tr')?.children.length ?? 0;
  const grid = columns > 1 && table.querySelector('table, pre, ul, ol, h1, h2, h3, h4, h5, h6, blockquote') === null;
  grids.set(table, grid);
  return grid;
}

function cellText(content: string): string {
  return content
    .trim()
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\|/g, '\\|');
}

function row(content: string, element: HtmlElement): string {
  const table = tableOf(element);
  if (!isGrid(table)) return content;
  const isFirst = table!.querySelector('tr') === element;
  return `\n${content}|${isFirst ? `\n${'| --- '.repeat(element.children.length)}|` : ''}`;
}
