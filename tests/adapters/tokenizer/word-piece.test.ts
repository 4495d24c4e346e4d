import { Tokenizer } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WordPieceCounter } from '../../../src/adapters/tokenizer/word-piece.ts';

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789.,;:!?()[]{}#$+<=>^`|~-_/"\'&*%@\\', '…', '—', '中', '文', 'ß', 'д', 'σ'];
const vocabulary = [
  ...special,
  ...letters,
  ...letters.map((letter) => `##${letter}`),
  'em',
  '##bed',
  '##ding',
  '##s',
  'the',
  'embed',
  'u',
  'strasse',
];
const counter = new WordPieceCounter(vocabulary, special);

// The same tokenizer in the format of the tokenizers library, as all-MiniLM-L6-v2 has it.
const peer = new Tokenizer(
  {
    added_tokens: special.map((content, id) => ({
      id,
      content,
      special: true,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
    })),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    },
  },
  {},
);

test.each([
  ['', 0],
  ['embeddings', 3],
  ['The EMBEDDINGS.', 5],
  // Accents go, so é is e; ß stays one letter.
  ['thé Straße', 7],
  // No token of this vocabulary is an apostrophe of that kind.
  ['don\u2019t', 5],
  ['中文the', 3],
  // A letter without a token makes its whole word one unknown token.
  ['embedд∞dings', 1],
  ['a∞b c', 2],
  // What is removed joins its neighbours, what is white space parts them.
  ['embed\u0000\u200b\ufeff\u00adding\ufffds', 3],
  ['embed\u00a0ding', 5],
  ['the\u000bthe', 4],
  ['x'.repeat(100), 100],
  ['x'.repeat(101), 1],
  ['[SEP]', 1],
  ['the[MASK]the', 3],
  ['[sep]', 5],
  ['ΣΑΣ', 1],
  ['\u0301', 0],
])('%j has %i tokens', (text, tokens) => {
  expect(counter.count(text)).toBe(tokens);
});

test('the counts are those of the tokenizers library', () => {
  const word = fc.constantFrom(
    'the',
    'embeddings',
    'Straße',
    'café',
    'ÉCOLE',
    '[SEP]',
    '[MASK',
    '中文',
    'σς',
    'Σ',
    'don’t',
    '…',
    '--',
    '#',
    '##s',
    ' ',
    '\n',
    '\t',
    '\u00a0',
    '\u200b',
    '😀',
  );
  const any = fc.string({ unit: fc.oneof(word, fc.constantFrom(...letters), fc.string({ unit: 'grapheme', maxLength: 1 })) });
  // Of these the library knows all; Σ, and what is newer or rarer, it gets wrong, and is tried against Python's.
  const known = /^[\p{ASCII}\u0080-\u02ff\u03b1-\u03c9\u0400-\u045f\u2010-\u2027\u3040-\u30ff\u4e00-\u9fff\u{1f600}-\u{1f640}]*$/u;
  fc.assert(
    fc.property(any, (text) => {
      fc.pre(known.test(text));
      expect(counter.count(text)).toBe(peer.tokenize(text).length);
    }),
    { numRuns: 2000 },
  );
});

test('counts stay right when more pieces came by than are remembered', () => {
  const first = 'embeddings 0 1 10';
  expect(counter.count(first)).toBe(7);
  for (let index = 0; index <= 100_000; index += 1) counter.count(String(index));
  expect(counter.count(first)).toBe(7);
});
