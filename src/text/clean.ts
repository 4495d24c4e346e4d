import type { CleanDocument, ContentType, RevisedDocument } from '../contracts/document.ts';
import { cleanCharacters, cleanLineEnds, trimEnds, trimLines } from './characters.ts';
import { cleanHtml } from './clean-html.ts';
import { cleanMarkdown } from './clean-markdown.ts';
import { DropCounts } from './drop-counts.ts';
import { foldFakeLetters } from './fake-letters.ts';
import { survey, type Survey } from './survey.ts';

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
  const traits = survey(content);
  const text = cleanLineEnds(content, traits, drops);
  switch (contentType) {
    case 'code':
      return text;
    case 'html':
      return cleanProse(cleanHtml(text, drops), cleanMarkdown, drops);
    case 'markdown':
      return cleanProse(text, cleanMarkdown, drops, traits);
    case 'text':
      return cleanProse(text, cleanText, drops, traits);
  }
}

type CleanBody = (text: string, traits: Survey, drops: DropCounts) => string;

function cleanProse(text: string, cleanBody: CleanBody, drops: DropCounts, traits = survey(text)): string {
  const cleaned = cleanBody(cleanCharacters(text, traits, drops), traits, drops);
  return trimEnds(traits.trailingSpace || cleaned !== text ? trimLines(cleaned, drops) : cleaned, drops);
}

function cleanText(text: string, traits: Survey, drops: DropCounts): string {
  return traits.fakeLetter ? foldFakeLetters(text, drops) : text;
}

/** A title is shown and cited, not counted. */
function cleanTitle(title: string | null): string | null {
  if (title === null) return null;
  const cleaned = cleanContent(title, 'text', new DropCounts()).replace(/\s+/g, ' ').trim();
  return cleaned === '' ? null : cleaned;
}
