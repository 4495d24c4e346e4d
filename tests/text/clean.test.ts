import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CleanDocument, ContentType, RevisedDocument } from '../../src/contracts/document.ts';
import { cleanDocument } from '../../src/text/clean.ts';
import { contentType, documentText } from './documents.ts';

const raw = (content: string, type: ContentType = 'markdown'): RevisedDocument => ({
  id: 'document-1',
  tenant: 'default',
  address: 'file:document.md',
  origin: 'docs',
  title: null,
  content,
  contentType: type,
  language: null,
  authorId: null,
  authorName: null,
  platform: 'file',
  revision: 'a'.repeat(64),
});

const clean = (content: string, type?: ContentType): CleanDocument => {
  const result = cleanDocument(raw(content, type));
  if ('reason' in result) throw new Error(`not cleaned: ${result.reason}`);
  return result;
};

const cleaned = (content: string, type?: ContentType): [string, Record<string, number>] => {
  const { text, dropped } = clean(content, type);
  return [text, dropped];
};

describe('cleanDocument', () => {
  it('keeps who and where, and names the revision it was made from', () => {
    const document = { ...raw('Text.'), title: ' 𝗔\ttitle ', authorId: 'author-1', authorName: 'Ada', platform: 'medium' };
    expect(cleanDocument(document)).toEqual({
      id: 'document-1',
      tenant: 'default',
      sources: [{ document: 'document-1', revision: 'a'.repeat(64) }],
      address: 'file:document.md',
      title: 'A title',
      text: 'Text.',
      contentType: 'markdown',
      language: null,
      authorId: 'author-1',
      authorName: 'Ada',
      platform: 'medium',
      dropped: {},
    });
  });

  it.each<[string, ContentType]>([
    ['', 'text'],
    [' \n\t\u200b', 'text'],
    ['<!-- only a note -->', 'markdown'],
    ['---\ntitle: x\n---\n', 'markdown'],
    ['<script>var x;</script>', 'html'],
    ['\n\n', 'code'],
  ])('leaves out a document of which nothing can be read: %j (%s)', (content, type) => {
    expect(cleanDocument(raw(content, type))).toEqual({ reason: 'empty' });
  });

  it('writes every line end as a line feed', () => {
    expect(cleaned('a\r\nb\rc\u2028d', 'text')).toEqual(['a\nb\nc\nd', { 'carriage-return': 1, 'line-separator': 2 }]);
  });

  it('removes characters that no reader sees, by reason', () => {
    expect(cleaned('a\u200bb\u00adc\u202ed\u0007e\u001b[31mf\u001b[0m\ufeff\u{e0041}', 'text')).toEqual([
      'abcdef',
      { 'zero-width': 2, 'soft-hyphen': 1, 'bidirectional-control': 1, 'control-character': 1, 'terminal-sequence': 9, 'tag-character': 1 },
    ]);
  });

  it('keeps joiners where a script or an emoji needs them, and nowhere else', () => {
    expect(cleaned('👨‍👩‍👧 می‌خواهم wo\u200drd', 'text')).toEqual(['👨‍👩‍👧 می‌خواهم word', { 'zero-width': 1 }]);
  });

  it('writes half of a surrogate pair as the replacement character', () => {
    expect(cleaned('a\ud83db', 'code')).toEqual(['a\ufffdb', { 'lone-surrogate': 1 }]);
  });

  it('folds fake letters, and nothing else that NFKC would change', () => {
    expect(cleaned('𝗕𝗼𝗹𝗱 𝓱ℯ𝓁𝓁ℴ 𝗲́ Ｆｕｌｌ ⓒⓘ x² ½ … ™ x ∈ ℝ，中', 'text')).toEqual([
      'Bold hello é Full ci x² ½ … ™ x ∈ ℝ，中',
      { 'fake-letter': 16 },
    ]);
  });

  it('removes white space at line ends and around the text', () => {
    expect(cleaned('\n\n  a  \n\t\nb\n\n', 'text')).toEqual(['  a\n\nb', { 'trailing-space': 3, 'blank-line': 4 }]);
  });

  it('keeps code as it stands', () => {
    const code = '\n# 𝗯𝗼𝗹𝗱 \u200b <!-- kept -->  \n\tx = 1\n\n';
    expect(cleaned(code, 'code')).toEqual([code, {}]);
  });
});

describe('cleanDocument, for Markdown', () => {
  it('keeps links, tables, inline code and fenced code', () => {
    const text =
      '# A `b`\n\nSee [the docs](https://example.com/a_b).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```html\n<!-- 𝗯 -->\n```\n\nUse `<!-- 𝗯 -->` here.';
    expect(cleaned(text)).toEqual([text, {}]);
  });

  it('folds fake letters outside of code only', () => {
    expect(cleaned('𝗯 `𝗯`\n\n    𝗯\n\n𝗯')).toEqual(['b `𝗯`\n\n    𝗯\n\nb', { 'fake-letter': 2 }]);
  });

  it('removes comments, over several lines and with fences in them', () => {
    expect(cleaned('a <!-- one --> b\n<!--\n```\n# two\n-->\n# Heading\n\n```\n<!-- kept -->\n```')).toEqual([
      'a  b\n\n# Heading\n\n```\n<!-- kept -->\n```',
      { 'html-comment': 12 + 18 },
    ]);
  });

  it('keeps a comment that never ends', () => {
    expect(cleaned('a <!-- b\n\nc')).toEqual(['a <!-- b\n\nc', {}]);
  });

  it('removes front matter, but no text between two rules', () => {
    expect(cleaned('---\ntitle: x\n---\n\n# A')).toEqual(['# A', { 'front-matter': 16, 'blank-line': 2 }]);
    expect(cleaned('---\n\ntext\n\n---\n\nmore')).toEqual(['---\n\ntext\n\n---\n\nmore', {}]);
  });

  it('removes embedded data and keeps what it was called', () => {
    expect(cleaned('![logo](data:image/png;base64,iVBORw0KGgo=)')).toEqual(['![logo]()', { 'embedded-data': 34 }]);
  });
});

describe('cleanDocument, for any document', () => {
  const replacing = new Set(['line-separator', 'lone-surrogate', 'fake-letter']);

  it('counts exactly the characters that are gone', () => {
    fc.assert(
      fc.property(documentText, fc.constantFrom<ContentType>('markdown', 'text', 'code'), (content, type) => {
        const result = cleanDocument(raw(content, type));
        fc.pre(!('reason' in result) && !('fake-letter' in result.dropped));
        const { text, dropped } = result;
        const removed = Object.entries(dropped).reduce((sum, [reason, characters]) => (replacing.has(reason) ? sum : sum + characters), 0);
        expect(Array.from(content).length - Array.from(text).length).toBe(removed);
      }),
    );
  });

  it('leaves no carriage return and no half of a surrogate pair', () => {
    fc.assert(
      fc.property(documentText, contentType, (content, type) => {
        const once = cleanDocument(raw(content, type === 'html' ? 'text' : type));
        fc.pre(!('reason' in once));
        const { text } = once;
        expect(text.isWellFormed()).toBe(true);
        expect(text).not.toContain('\r');
      }),
    );
  });
});
