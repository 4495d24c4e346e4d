import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embedderInput, type Chunk, type CleanDocument } from '../../src/contracts/document.ts';
import type { Tokenizer } from '../../src/ports/tokenizer.ts';
import { cutDocument, type CutParams } from '../../src/text/cut.ts';
import { byteTokenizer, cleanDocumentOf, contentType, documentText, superadditiveTokenizer, wordTokenizer } from './documents.ts';

const paragraph = (words: number, word = 'word'): string => `${Array.from({ length: words }, (_, index) => `${word}${index}`).join(' ')}.`;
const texts = (chunks: Chunk[]): string[] => chunks.map(({ text }) => text);

/** Any document, cut by any limits with any of the tokenizers. */
const cuts = fc
  .record({
    text: documentText,
    contentType,
    params: fc.record({ maxTokens: fc.integer({ min: 1, max: 60 }), overlapTokens: fc.integer({ min: 0, max: 40 }) }),
    tokenizer: fc.constantFrom(wordTokenizer(40), byteTokenizer(50), superadditiveTokenizer(30)),
  })
  .map(({ text, contentType: type, params, tokenizer }): [CleanDocument, CutParams, Tokenizer] => [
    cleanDocumentOf(text, type),
    params,
    tokenizer,
  ]);

describe('cutDocument, for any document', () => {
  it('gives exact slices by code points', () => {
    fc.assert(
      fc.property(cuts, ([document, params, tokenizer]) => {
        const characters = Array.from(document.text);
        for (const chunk of cutDocument(document, params, tokenizer)) {
          expect(chunk.text).toBe(characters.slice(chunk.start, chunk.end).join(''));
        }
      }),
    );
  });

  it('leaves out nothing but white space', () => {
    fc.assert(
      fc.property(cuts, ([document, params, tokenizer]) => {
        const characters = Array.from(document.text);
        const covered = new Set<number>();
        for (const { start, end } of cutDocument(document, params, tokenizer))
          for (let index = start; index < end; index += 1) covered.add(index);
        expect(characters.filter((character, index) => character.trim() !== '' && !covered.has(index))).toEqual([]);
      }),
    );
  });

  it('never gives the embedder more than its window, but for one character that is longer', () => {
    fc.assert(
      fc.property(cuts, ([document, params, tokenizer]) => {
        const limit = Math.min(params.maxTokens, tokenizer.window);
        const tooLong = cutDocument(document, params, tokenizer).filter((chunk) => tokenizer.count(embedderInput(chunk)) > limit);
        for (const { text, headings } of tooLong) {
          expect(headings).toEqual([]);
          expect(text).toMatch(/^\s*(?:\P{M}|\p{M}{1,2})[\p{M}\u200d\p{Emoji}]{0,32}$/u);
        }
      }),
    );
  });

  it('says how many tokens the embedder will be given', () => {
    fc.assert(
      fc.property(cuts, ([document, params, tokenizer]) => {
        for (const chunk of cutDocument(document, params, tokenizer))
          expect(chunk.tokens).toBe(Math.max(1, tokenizer.count(embedderInput(chunk))));
      }),
    );
  });

  it('keeps reading order, makes no chunk of white space and none that lies inside its neighbour', () => {
    fc.assert(
      fc.property(cuts, ([document, params, tokenizer]) => {
        const chunks = cutDocument(document, params, tokenizer);
        expect(chunks.map(({ ordinal }) => ordinal)).toEqual(chunks.map((_, index) => index));
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk.text.trim()).not.toBe('');
          const before = chunks[index - 1];
          if (!before) continue;
          expect(chunk.start).toBeGreaterThan(before.start);
          expect(chunk.end).toBeGreaterThan(before.end);
        }
      }),
    );
  });

  it('gives the same chunks again', () => {
    fc.assert(
      fc.property(cuts, ([document, params, tokenizer]) => {
        expect(cutDocument(document, params, tokenizer)).toEqual(cutDocument(document, params, tokenizer));
      }),
    );
  });
});

describe('cutDocument', () => {
  const cut = (text: string, maxTokens = 40, overlapTokens = 0, type: CleanDocument['contentType'] = 'markdown'): Chunk[] =>
    cutDocument(cleanDocumentOf(text, type), { maxTokens, overlapTokens }, wordTokenizer());

  it('makes no chunk of an empty document', () => {
    expect(cut(' \n\n ')).toEqual([]);
  });

  it('keeps a section that fits in one chunk, under its heading path', () => {
    const text = `# Guide\n\n${paragraph(15)}\n\n## Setup\n\n${paragraph(20)}\n`;
    expect(cut(text).map(({ text: slice, headings }) => [slice, headings])).toEqual([
      [`# Guide\n\n${paragraph(15)}`, ['Guide']],
      [`## Setup\n\n${paragraph(20)}`, ['Guide', 'Setup']],
    ]);
  });

  it('joins tiny sections under one parent and gives them the path that they share', () => {
    const text = `# Guide\n\n## One\n\nFirst.\n\n## Two\n\nSecond.\n\n# Other\n\n${paragraph(30)}`;
    expect(cut(text).map(({ text: slice, headings }) => [slice, headings])).toEqual([
      ['# Guide\n\n## One\n\nFirst.\n\n## Two\n\nSecond.', ['Guide']],
      [`# Other\n\n${paragraph(30)}`, ['Other']],
    ]);
  });

  it('puts a heading with nothing under it to the section that follows, and keeps that path', () => {
    expect(cut(`# Guide\n\n## Setup\n\n${paragraph(12)}`)).toMatchObject([{ headings: ['Guide', 'Setup'], start: 0 }]);
  });

  it('cuts a long section between paragraphs rather than at the last word that fits', () => {
    const [first, second, third] = [paragraph(25, 'a'), paragraph(20, 'b'), paragraph(30, 'c')];
    expect(texts(cut(`${first}\n\n${second}\n\n${third}`))).toEqual([first, second, third]);
  });

  it('cuts a long paragraph between sentences', () => {
    const sentences = [paragraph(9, 'A'), paragraph(9, 'B'), paragraph(9, 'C'), paragraph(9, 'D'), paragraph(9, 'E')];
    expect(texts(cut(sentences.join(' ')))).toEqual([sentences.slice(0, 4).join(' '), sentences[4]]);
  });

  it('does not take a line break inside of a sentence for the end of something', () => {
    const text =
      'One two three four five six\nseven eight nine ten. Eleven twelve thirteen fourteen\nfifteen sixteen seventeen eighteen nineteen.';
    expect(texts(cut(text, 16))).toEqual([
      'One two three four five six\nseven eight nine ten.',
      'Eleven twelve thirteen fourteen\nfifteen sixteen seventeen eighteen nineteen.',
    ]);
  });

  it('lets neighbours in one section overlap by whole sentences', () => {
    const sentences = ['A', 'B', 'C', 'D', 'E', 'F'].map((letter) => paragraph(9, letter));
    expect(texts(cut(sentences.join(' '), 40, 12))).toEqual([sentences.slice(0, 4).join(' '), sentences.slice(3).join(' ')]);
  });

  it('lets them overlap by words where the sentence is longer than the overlap', () => {
    const [first, second] = cut(paragraph(60), 40, 10);
    expect(first!.end - second!.start).toBeGreaterThan(0);
    expect(wordTokenizer().count(first!.text.slice(second!.start))).toBeLessThanOrEqual(10);
  });

  it('never overlaps across sections', () => {
    const chunks = cut(`# One\n\n${paragraph(60)}\n\n# Two\n\n${paragraph(60)}`, 40, 10);
    const second = chunks.find(({ headings }) => headings[0] === 'Two');
    expect(second!.text.startsWith('# Two')).toBe(true);
  });

  it('drops the outermost headings of a path that would take more than a quarter of the window', () => {
    const chunks = cut(`# ${paragraph(8, 'outer')}\n\n## Inner heading\n\n${paragraph(60)}`);
    expect(chunks.at(-1)!.headings).toEqual(['Inner heading']);
  });

  it('keeps the lines of fenced code whole and does not read headings in it', () => {
    const code = `\`\`\`python\n${Array.from({ length: 12 }, (_, index) => `# step ${index}\nrun(${index})`).join('\n\n')}\n\`\`\``;
    const chunks = cut(`# Code\n\n${code}`, 40);
    expect(chunks.length).toBeGreaterThan(2);
    for (const { headings, text } of chunks) {
      expect(headings).toEqual(['Code']);
      for (const line of text.split('\n')) expect(`# Code\n\n${code}`.split('\n')).toContain(line);
    }
  });

  it('heads a piece of code with the top-level declaration that it stands in', () => {
    const code = `import a from 'a';\n\nexport class Engine extends Machine {\n${Array.from({ length: 8 }, (_, index) => `  part${index}() {\n    return ${index};\n  }\n`).join('\n')}}\n`;
    const chunks = cut(code, 30, 0, 'code');
    expect(chunks.at(-1)!.headings).toEqual(['export class Engine extends Machine']);
    expect(chunks.at(-1)!.text.startsWith('  part')).toBe(true);
  });

  it('cuts text without spaces at its sentences, and counts offsets in code points', () => {
    const sentence = '😀这是一个没有空格的句子。';
    const chunks = cutDocument(cleanDocumentOf(sentence.repeat(6), 'text'), { maxTokens: 90, overlapTokens: 0 }, byteTokenizer());
    expect(texts(chunks)).toEqual([sentence.repeat(2), sentence.repeat(2), sentence.repeat(2)]);
    expect(chunks.map(({ start, end }) => [start, end])).toEqual([
      [0, 26],
      [26, 52],
      [52, 78],
    ]);
  });

  it('splits no surrogate pair, combined character or joined emoji where it can be helped', () => {
    const characters = ['👨‍👩‍👧', 'e\u0301', '👍🏽'];
    const text = Array.from({ length: 120 }, (_, index) => characters[index % 3]).join('');
    const chunks = cutDocument(cleanDocumentOf(text, 'text'), { maxTokens: 64, overlapTokens: 0 }, byteTokenizer());
    expect(texts(chunks).join('')).toBe(text);
    for (const { text: slice } of chunks) expect(slice).toMatch(/^(?:👨‍👩‍👧|e\u0301|👍🏽)+$/u);
  });

  it('carries the document, its source and its author into every chunk', () => {
    const document = { ...cleanDocumentOf('Text.'), title: 'Title', authorId: 'author-1', authorName: 'Ada', tenant: 'other' };
    expect(cutDocument(document, { maxTokens: 10, overlapTokens: 0 }, wordTokenizer())).toEqual([
      {
        document: 'document-1',
        tenant: 'other',
        ordinal: 0,
        text: 'Text.',
        start: 0,
        end: 5,
        tokens: 2,
        headings: [],
        sources: document.sources,
        address: 'file:document.md',
        title: 'Title',
        contentType: 'markdown',
        authorId: 'author-1',
        authorName: 'Ada',
        platform: 'file',
      },
    ]);
  });

  it('counts each character a bounded number of times, also on one long line without spaces', () => {
    let counted = 0;
    const counting: Tokenizer = {
      identity: 'counting',
      window: 254,
      count: (text) => ((counted += text.length), Math.ceil(text.length / 4)),
    };
    const text = 'a'.repeat(2_000_000);
    const chunks = cutDocument(cleanDocumentOf(text, 'text'), { maxTokens: 254, overlapTokens: 32 }, counting);
    expect(chunks.at(-1)!.end).toBe(text.length);
    expect(counted).toBeLessThan(3 * text.length);
  });
});
