import fc from 'fast-check';
import { expect, test } from 'vitest';
import { piecesOf } from '../../src/datasets/pieces.ts';

const section = (text: string, start = 0) => ({ text, start, end: start + [...text].length });

test('paragraphs are packed until the next would not fit', () => {
  expect(piecesOf(section('one\n\ntwo\n\nthree', 100), 8).map(({ text, start, end }) => [text, start, end])).toEqual([
    ['one\n\ntwo', 100, 108],
    ['three', 110, 115],
  ]);
});

test('a blank line inside a fence does not cut', () => {
  const code = '```\na\n\nb\n```';
  expect(piecesOf(section(`x\n\n${code}\n\ny`), 12).map(({ text }) => text)).toEqual(['x', code, 'y']);
});

test('a paragraph that is too long stands alone', () => {
  expect(piecesOf(section('ab\n\ntoo long for it\n\ncd'), 6).map(({ text }) => text)).toEqual(['ab', 'too long for it', 'cd']);
});

test('every piece is an exact slice, in order, and together they hold all ink', () => {
  const unit = fc.constantFrom('a', '😀', 'é', '\n', '\n\n', ' ', '```\n', '- ');
  fc.assert(
    fc.property(fc.string({ unit }), fc.integer({ min: 1, max: 20 }), (text, maximum) => {
      const characters = [...text];
      const pieces = piecesOf(section(text), maximum);
      let at = 0;
      for (const piece of pieces) {
        expect(piece.start).toBeGreaterThanOrEqual(at);
        expect(characters.slice(piece.start, piece.end).join('')).toBe(piece.text);
        at = piece.end;
      }
      const ink = (value: string) => value.replaceAll(/\s/g, '');
      expect(ink(pieces.map((piece) => piece.text).join(''))).toBe(ink(text));
    }),
  );
});

test('what is code is judged within the section', () => {
  const pieces = piecesOf(section('Some prose here.\n\n    indented(code)\n\nMore.'), 16);
  expect(pieces.map(({ text, prose }) => [text, prose.trim()])).toEqual([
    ['Some prose here.', 'Some prose here.'],
    ['indented(code)', ''],
    ['More.', 'More.'],
  ]);
});
