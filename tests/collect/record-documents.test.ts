import { describe, expect, test } from 'vitest';
import { documentId, documentsOf } from '../../src/collect/record-documents.ts';

const source = { tenant: 'default', origin: 'export.json', address: 'file:export.json' };

function only(record: unknown) {
  const read = documentsOf(record, source);
  if (!read.ok) throw new Error(read.message);
  expect(read.documents).toHaveLength(1);
  return read.documents[0]!;
}

describe('an exported record', () => {
  test('becomes a document at its link', () => {
    const record = {
      _id: 'a1',
      content: { Title: 'On seeds', Subtitle: 'A short story', Content: '# On seeds\n\nThey grow.', language: 'en' },
      platform: 'medium',
      author_id: 'u1',
      author_full_name: 'Ada Lovelace',
      link: 'https://example.org/seeds',
    };
    expect(only(record)).toEqual({
      id: documentId('default', 'https://example.org/seeds'),
      tenant: 'default',
      address: 'https://example.org/seeds',
      origin: 'export.json',
      title: 'On seeds',
      content: 'A short story\n\n# On seeds\n\nThey grow.',
      contentType: 'markdown',
      language: null,
      authorId: 'u1',
      authorName: 'Ada Lovelace',
      platform: 'medium',
    });
  });

  test('does not repeat a subtitle that its content holds, broken over lines or not', () => {
    const content = { Title: 'T', Subtitle: 'From here to there', Content: '### From here\nto there\n\nText' };
    expect(only({ content, link: 'l' }).content).toBe('### From here\nto there\n\nText');
  });

  test('may have nulls in its content map', () => {
    expect(only({ content: { Title: null, Subtitle: null, Content: 'Text' }, link: 'l' })).toMatchObject({ title: null, content: 'Text' });
  });

  test('lives in its file under its id where it has no link', () => {
    expect(only({ _id: { $oid: '5f' }, content: 'Text' }).address).toBe('file:export.json#5f');
    expect(only({ id: 7, text: 'Text' }).address).toBe('file:export.json#7');
  });

  test('without link and id is told apart by what it says', () => {
    expect(only({ text: 'One' }).address).not.toBe(only({ text: 'Two' }).address);
    expect(only({ text: 'One' }).address).toBe(only({ text: 'One' }).address);
  });

  test('may be a post, whose text has a name of its own', () => {
    expect(only({ _id: 'p', content: { Post: 'A post.' }, platform: 'linkedin' })).toMatchObject({
      content: 'A post.',
      platform: 'linkedin',
    });
  });

  test('of a repository is one document a file', () => {
    const read = documentsOf({ name: 'twin', link: 'https://example.org/twin', content: { 'a.ts': 'let a', 'README.md': '# A' } }, source);
    expect(read.ok && read.documents.map(({ address, contentType, language }) => [address, contentType, language])).toEqual([
      ['https://example.org/twin/a.ts', 'code', 'typescript'],
      ['https://example.org/twin/README.md', 'markdown', null],
    ]);
  });

  test('of HTML is read as HTML', () => {
    expect(only({ link: 'l', content: '<!doctype html><p>Hi' }).contentType).toBe('html');
  });

  test('with half of a surrogate pair is made well-formed', () => {
    expect(only({ link: 'l', content: 'half \ud83d' }).content).toBe('half \ufffd');
  });

  test.each([
    [{ link: 'l', content: { Title: 'Only a title', Content: null } }, 'it has no text under `content` or `text`'],
    [{ link: 'l', content: '   ' }, 'it has no text under `content` or `text`'],
    [['list'], 'it is not an object'],
    [{ link: 5, content: 'Text' }, '`link`: Invalid input: expected string, received number'],
  ])('is refused with a reason: %j', (record, message) => {
    expect(documentsOf(record, source)).toEqual({ ok: false, message });
  });
});
