import remarkParse from 'remark-parse';
import remarkGfm from 'remark-gfm';
import { unified } from 'unified';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markdownBlocks } from '../../src/text/markdown-blocks.ts';
import { outline, sections } from '../../src/text/structure.ts';
import { contentType, documentText } from './documents.ts';

const markdown = (text: string) => sections({ text, contentType: 'markdown' });

describe('sections', () => {
  it('gives each heading what stands under it, with the path to it', () => {
    expect(markdown('Before.\n\n# One\n\nFirst.\n\nMore.\n\n### Three\nDeep.\n\n## Two\n\n# Four\n')).toEqual([
      { headings: [], level: 0, start: 0, end: 7, text: 'Before.' },
      { headings: ['One'], level: 1, start: 16, end: 29, text: 'First.\n\nMore.' },
      { headings: ['One', 'Three'], level: 3, start: 41, end: 46, text: 'Deep.' },
      { headings: ['One', 'Two'], level: 2, start: 54, end: 54, text: '' },
      { headings: ['Four'], level: 1, start: 62, end: 62, text: '' },
    ]);
  });

  it('counts offsets in code points', () => {
    expect(markdown('# 😀😀\n\n😀 text')).toEqual([{ headings: ['😀😀'], level: 1, start: 6, end: 12, text: '😀 text' }]);
  });

  it('reads underlined headings, also of two lines', () => {
    expect(markdown('A\nlong title\n===\n\nText\n\nSub\n---\n\n- item\n---\n').map(({ headings, level }) => [headings, level])).toEqual([
      [['A long title'], 1],
      [['A long title', 'Sub'], 2],
    ]);
  });

  it.each([
    ['# `a*b*` **bold** _it_ [link](x "t") ![alt](y) <b>tag</b> \\# {#id} ##', 'a*b* bold it link alt tag #'],
    ['## [![badge](a)](b) name_with_marks', 'badge name_with_marks'],
    ['# C# and F#', 'C# and F#'],
    ['#', ''],
  ])('shows the heading %j as %j', (source, heading) => {
    expect(markdown(`${source}\n\ntext`)[0]!.headings).toEqual(heading === '' ? [] : [heading]);
  });

  it.each([
    ['fenced code', '```\n# no\n~~~\n```'],
    ['a fence in a list item', '- item\n\n  ```\n  # no\n  ```'],
    ['a fence on a list item’s first line', '- ```\n  # no\n  ```'],
    ['indented code', 'text\n\n    # no'],
    ['preformatted HTML', '<pre>\n\n# no\n</pre>'],
    ['a list item', '- item\n\n  # no'],
    ['a quote', '> # no\n> ---'],
    ['a word', '#no\n\n####### no'],
  ])('finds no heading in %s', (_where, text) => {
    expect(markdown(text).every(({ headings }) => headings.length === 0 || headings[0] !== 'no')).toBe(true);
  });

  it('gives code one section for each top-level declaration', () => {
    const code =
      "import a from 'a';\n\n/** Doc. */\nexport async function run<T>(x: T): void {\n  first();\n\n  second();\n}\n\nconst b = 1;\n";
    expect(sections({ text: code, contentType: 'code' }).map(({ headings, text }) => [headings, text])).toEqual([
      [[], "import a from 'a';"],
      [['export async function run'], '/** Doc. */\nexport async function run<T>(x: T): void {\n  first();\n\n  second();\n}'],
      [['const b'], 'const b = 1;'],
    ]);
  });

  it('gives plain text one section', () => {
    expect(sections({ text: '\n# a\n\nb\n', contentType: 'text' })).toEqual([
      { headings: [], level: 0, start: 1, end: 7, text: '# a\n\nb' },
    ]);
  });

  it('gives exact slices in order, and the outline leaves out nothing but white space, for any text', () => {
    fc.assert(
      fc.property(documentText, contentType, (text, type) => {
        const characters = Array.from(text);
        let before = 0;
        for (const section of sections({ text, contentType: type })) {
          expect(section.text).toBe(characters.slice(section.start, section.end).join(''));
          expect(section.start).toBeGreaterThanOrEqual(before);
          before = section.end;
        }
        let at = 0;
        for (const { start, end } of outline({ text, contentType: type })) {
          expect(text.slice(at, start).trim()).toBe('');
          at = end;
        }
        expect(text.slice(at).trim()).toBe('');
      }),
    );
  });
});

describe('markdownBlocks', () => {
  it('tells paragraphs, lists, tables and code apart', () => {
    const text = '# H\npara\nmore\n\n- a\n  b\n\n- c\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx\n\ny\n```\n\n    indented\n\nend';
    expect(markdownBlocks(text).map(({ kind, start, end }) => [kind, text.slice(start, end)])).toEqual([
      ['heading', '# H'],
      ['paragraph', 'para\nmore'],
      ['list', '- a\n  b'],
      ['list', '- c'],
      ['table', '| a | b |\n|---|---|\n| 1 | 2 |'],
      ['code', '```\nx\n\ny\n```'],
      ['code', '    indented'],
      ['paragraph', 'end'],
    ]);
  });

  it('finds the headings that remark finds, where lists and quotes end with a blank line', () => {
    const parser = unified().use(remarkParse).use(remarkGfm);
    const lines = [
      '# One',
      '## Two ##',
      'text',
      'more text',
      'Underlined\n===',
      'Underlined\ntwice\n---',
      '---',
      '***',
      '',
      '',
      '- item\n',
      '- item\n  inner\n',
      '- ```\n  # code\n  ```\n',
      '1. first\n',
      '> quote\n',
      '> # quoted\n',
      '```js\n# code\n```',
      '```',
      '~~~~\n```\n# code\n~~~~',
      '\n| a | b |\n|---|---|\n| # | 2 |\n',
      'text\n   # indented',
      '\n    # code\n',
      '\n<pre>\n# code\n\n# code\n</pre>\n',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...lines), { maxLength: 12 }), (chosen) => {
        const text = chosen.join('\n');
        const expected = parser.parse(text).children.filter((node) => node.type === 'heading');
        const found = markdownBlocks(text).filter(({ kind }) => kind === 'heading');
        expect(found.map(({ level, end }) => [level, text.slice(0, end).split('\n').length])).toEqual(
          expected.map(({ depth, position }) => [depth, position!.end.line]),
        );
      }),
      { numRuns: 200 },
    );
  });
});
