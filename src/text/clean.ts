import type { CleanDocument, ContentType, RevisedDocument } from '../contracts/document.ts';
import { cleanCharacters, cleanLineEnds, trimLines } from './characters.ts';
import { cleanHtml } from './clean-html.ts';
import { cleanMarkdown } from './clean-markdown.ts';
import { DropCounts } from './drop-counts.ts';
import { foldFakeLetters, hasFakeLetters } from './fake-letters.ts';

/** Why a document has no cleaned form: nothing that can be read is left of it. */
export interface Uncleanable {
  readonly reason: 'empty';
}

/**
 * The text of a document as it is read, with every character (code point) that was removed or replaced counted by reason.
 * Code is kept as it stands but for line ends; HTML becomes Markdown; the title is treated as text.
 */
export function cleanDocument(document: RevisedDocument): CleanDocument | Uncleanable {
  const drops = new DropCounts();
  const text = cleanContent(document.content, document.contentType, drops);
  if (text.trim() === '') return { reason: 'empty' };
  return {
    id: document.id,
    tenant: document.tenant,
    sources: [{ document: document.id, revision: document.revision }],
    address: document.address,
    title: cleanTitle(document.title),
    text,
    contentType: document.contentType === 'html' ? 'markdown' : document.contentType,
    language: document.language,
    authorId: document.authorId,
    authorName: document.authorName,
    platform: document.platform,
    dropped: drops.counts,
  };
}

function cleanContent(content: string, contentType: ContentType, drops: DropCounts): string {
  const text = cleanLineEnds(content, drops);
  switch (contentType) {
    case 'code':
      return text;
    case 'text':
      return trimLines(foldText(cleanCharacters(text, drops), drops), drops);
    case 'markdown':
      return trimLines(cleanMarkdown(cleanCharacters(text, drops), drops), drops);
    case 'html':
      return trimLines(cleanMarkdown(cleanCharacters(cleanHtml(text, drops), drops), drops), drops);
  }
}

function foldText(text: string, drops: DropCounts): string {
  return hasFakeLetters(text) ? foldFakeLetters(text, drops) : text;
}

/** A title is shown and cited, not counted. */
function cleanTitle(title: string | null): string | null {
  if (title === null) return null;
  const drops = new DropCounts();
  const cleaned = foldText(cleanCharacters(cleanLineEnds(title, drops), drops), drops)
    .replace(/\s+/g, ' ')
    .trim();
  return cleaned === '' ? null : cleaned;
}
