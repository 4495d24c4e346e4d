import fc from 'fast-check';
import type { CleanDocument, ContentType } from '../../src/contracts/document.ts';
import type { Tokenizer } from '../../src/ports/tokenizer.ts';

/** A cleaned document that holds this text. */
export function cleanDocumentOf(text: string, contentType: ContentType = 'markdown'): CleanDocument {
  return {
    id: 'document-1',
    tenant: 'default',
    sources: [{ document: 'document-1', revision: 'a'.repeat(64) }],
    address: 'file:document.md',
    title: null,
    text,
    contentType,
    language: null,
    authorId: null,
    authorName: null,
    platform: 'file',
    dropped: {},
  };
}

/** Counts words and single punctuation marks. */
export const wordTokenizer = (window = 254): Tokenizer => ({
  identity: 'words',
  window,
  count: (text) => text.match(/[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu)?.length ?? 0,
});

/** Counts UTF-8 bytes: one character can be more than one token. */
export const byteTokenizer = (window = 254): Tokenizer => ({ identity: 'bytes', window, count: (text) => Buffer.byteLength(text) });

/** Counts pairs of characters and adds one for every sixteen, so that joined texts have more tokens than their parts. */
export const superadditiveTokenizer = (window = 254): Tokenizer => ({
  identity: 'superadditive',
  window,
  count: (text) => Math.floor(text.length / 2) + Math.floor(text.length / 16),
});

const pieces = [
  'word',
  'Another sentence. ',
  'done! ',
  ' ',
  '\n',
  '\n\n',
  '# Heading\n',
  '## Deeper heading here\n\n',
  'Title\n=====\n',
  '- item\n',
  '  1. nested\n',
  '| a | b |\n|---|---|\n| 1 | 2 |\n',
  '```ts\nconst a = 1;\n\n# no heading\n```\n',
  '~~~\nopen fence\n',
  '    indented code\n',
  '> quote\n',
  '中文没有空格的句子。',
  '漢字仮名',
  '😀👨‍👩‍👧',
  'é̂',
  '\ud83d',
  '𝗯𝗼𝗹𝗱',
  'a'.repeat(90),
  '\t',
  '\u00a0',
  'function f() {\n  return 1;\n}\n',
  'class A:\n    def b(self):\n        pass\n',
  '<!-- note -->',
  '---\n',
  '\u200b',
  '\r\n',
];

/** Texts made of what documents are made of, in every wrong order. */
export const documentText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) }),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

export const contentType: fc.Arbitrary<ContentType> = fc.constantFrom('markdown', 'text', 'html', 'code');
