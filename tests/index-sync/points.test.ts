import { expect, test } from 'vitest';
import type { Chunk } from '../../src/contracts/document.ts';
import { pointId, pointsOf } from '../../src/index-sync/points.ts';

const chunk: Chunk = {
  document: 'd',
  tenant: 'default',
  ordinal: 0,
  text: 'Text',
  start: 0,
  end: 4,
  tokens: 1,
  headings: ['A', 'B'],
  sources: [{ document: 'd', revision: 'a'.repeat(64) }],
  address: 'file:d.md',
  title: null,
  contentType: 'markdown',
  authorId: null,
  authorName: null,
  platform: 'file',
};

test('the id of a point follows from tenant, document and ordinal, and never changes', () => {
  expect(pointId({ tenant: 'default', document: 'd', ordinal: 0 })).toBe('99a5de7a-8200-5b95-aa81-0eb7c584e14d');
  const others = [{ tenant: 'other' }, { document: 'e' }, { ordinal: 1 }].map((change) => pointId({ ...chunk, ...change }));
  expect(new Set([pointId(chunk), ...others]).size).toBe(4);
});

test('what is embedded is the heading path above the text', () => {
  expect(pointsOf([chunk])[0]!.input).toBe('A > B\nText');
});

test('any field of the payload changes its hash', () => {
  const hashOf = (change: Partial<Chunk>): string => pointsOf([{ ...chunk, ...change }])[0]!.payloadHash;
  const hashes = [{}, { text: 'Other' }, { headings: [] }, { title: 'T' }, { end: 5 }, { authorId: 'a' }].map(hashOf);
  expect(new Set(hashes).size).toBe(6);
});

test('two chunks in one place are a bug that is not written down', () => {
  expect(() => pointsOf([chunk, chunk])).toThrow('Two chunks of document d have one ordinal');
});
