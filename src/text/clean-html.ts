import { createRequire } from 'node:module';
import readability from '@mozilla/readability/package.json' with { type: 'json' };
import linkedom from 'linkedom/package.json' with { type: 'json' };
import type TurndownService from 'turndown';
import turndown from 'turndown/package.json' with { type: 'json' };
import { countCodePoints } from './code-points.ts';
import type { DropCounts } from './drop-counts.ts';
import { htmlToMarkdown, type HtmlElement } from './html-to-markdown.ts';
import { plainHtml } from './plain-html.ts';

/** What is asked of a parsed page. */
interface HtmlDocument {
  readonly body: HtmlElement | null;
  cloneNode(deep: boolean): HtmlDocument;
  querySelector(selector: string): HtmlElement | null;
  querySelectorAll(selector: string): Iterable<HtmlElement>;
}

/** Largest page that a document tree is built of, in UTF-16 code units and nodes: the libraries' time and memory grow faster than the page. */
const LONGEST_PAGE = 1_000_000;
const MOST_NODES = 20_000;

/** Deepest nesting that the libraries are given: their time grows with its cube, and their recursion overflows the stack. */
const DEEPEST = 128;

/**
 * The readable part of a page as Markdown: its article where one is recognised, else its whole body.
 * Counts what surrounds the article as `boilerplate` (white space left out) and all that is not visible text as `markup`.
 * A page that the libraries cannot take (too large, too deep, or malformed so that they throw) is read in one pass instead, boilerplate and all.
 */
export function cleanHtml(html: string, drops: DropCounts): string {
  const { markdown, visible, boilerplate } = readable(html) ?? plain(html);
  drops.add('boilerplate', boilerplate);
  drops.add('markup', countCodePoints(html) - visible);
  return markdown;
}

interface Readable {
  readonly markdown: string;
  /** Characters of text on the page, and of that outside of its article, white space left out. */
  readonly visible: number;
  readonly boilerplate: number;
}

function plain(html: string): Readable {
  const markdown = plainHtml(html);
  return { markdown, visible: Math.min(ink(markdown), countCodePoints(html)), boilerplate: 0 };
}

function readable(html: string): Readable | null {
  if (html.length > LONGEST_PAGE) return null;
  const { parseHTML, Readability, Turndown } = libraries();
  try {
    const page = parseHTML(/<(?:html|body)[\s>]/i.test(html) ? html : `<!doctype html><html><body>${html}</body></html>`).document;
    if (!page.body || isTooLarge(page.body)) return null;
    for (const element of page.querySelectorAll(INVISIBLE)) element.remove();
    for (const anchor of page.querySelectorAll('a[href^="#"]')) if (anchor.textContent.trim().length <= 1) anchor.remove();
    const heading = page.querySelector('h1')?.textContent.replace(/\s+/g, ' ').trim() ?? '';
    const article = new Readability(page.cloneNode(true), { keepClasses: true, serializer: (element) => element }).parse()?.content;
    const content = article && ink(article.textContent) > 0 ? article : page.body;
    const visible = ink(page.body.textContent);
    const boilerplate = visible - ink(content.textContent);
    const markdown = htmlToMarkdown(content, Turndown);
    return { markdown: withTitle(markdown, heading), visible, boilerplate };
  } catch {
    return null;
  }
}

/** Puts a page's main heading back on top: the library takes it away where it repeats the page's title, and one level down elsewhere. */
function withTitle(markdown: string, heading: string): string {
  if (heading === '') return markdown;
  const lines = markdown.split('\n');
  const demoted = lines.indexOf(`## ${heading}`);
  if (demoted !== -1) return lines.with(demoted, `# ${heading}`).join('\n');
  return markdown.includes(heading) ? markdown : `# ${heading}\n\n${markdown}`;
}

function isTooLarge(body: HtmlElement): boolean {
  let nodes = 0;
  let level: HtmlElement[] = [body];
  for (let depth = 0; level.length > 0; depth += 1) {
    nodes += level.length;
    if (depth > DEEPEST || nodes > MOST_NODES) return true;
    level = level.flatMap((element) => Array.from(element.childNodes));
  }
  return false;
}

/** Elements without text for a reader, or that only operate the page. */
const INVISIBLE =
  'script, style, noscript, template, iframe, svg, canvas, object, button, input, select, textarea, [hidden], [aria-hidden="true"]';

/** Characters that are not white space. */
function ink(text: string): number {
  return countCodePoints(text.replace(/\s+/g, ''));
}

interface Libraries {
  readonly parseHTML: (html: string) => { readonly document: HtmlDocument };
  readonly Readability: new (
    page: HtmlDocument,
    options: { keepClasses: boolean; serializer: (element: HtmlElement) => HtmlElement },
  ) => { parse(): { readonly content: HtmlElement } | null };
  readonly Turndown: typeof TurndownService;
}

let loaded: Libraries | null = null;

/**
 * The HTML libraries, loaded with the first page: they take longer to start than all the rest of the program.
 * Their manifests are imported so that their versions are part of the fingerprint of every step that cleans.
 */
function libraries(): Libraries {
  const require = createRequire(import.meta.url);
  loaded ??= {
    parseHTML: (require(linkedom.name) as Pick<Libraries, 'parseHTML'>).parseHTML,
    Readability: (require(readability.name) as Pick<Libraries, 'Readability'>).Readability,
    Turndown: require(turndown.name) as Libraries['Turndown'],
  };
  return loaded;
}
