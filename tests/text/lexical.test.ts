import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lexicalTerms } from '../../src/text/lexical.ts';

describe('lexicalTerms', () => {
  it.each([
    ['Plain words, and 42 numbers.', ['plain', 'words', 'and', '42', 'numbers']],
    ['cutDocument(maxTokens)', ['cutdocument', 'cut', 'document', 'maxtokens', 'max', 'tokens']],
    ['snake_case_name', ['snake_case_name', 'snake', 'case', 'name']],
    ['HTTPServer2 parseURL', ['httpserver2', 'http', 'server2', 'parseurl', 'parse', 'url']],
    ['MAX_LENGTH', ['max_length', 'max', 'length']],
    ['_private __ _', ['_private', 'private']],
    ['don’t e-mail', ['don', 't', 'e', 'mail']],
    ['𝗕𝗼𝗹𝗱 ﬁnd', ['bold', 'find']],
    ['Cafe\u0301 İstanbul', ['café', 'istanbul']],
    ['ΟΔΟΣ οδος', ['οδοσ', 'οδοσ']],
    ['हिन्दी', ['हनद']],
    ['向量检索RAG', ['向', '量', '向量', '检', '量检', '索', '检索', 'rag']],
    ['', []],
  ])('reads %j as %j', (text, terms) => {
    expect(lexicalTerms(text)).toEqual(terms);
  });

  it('cuts a term that is too long, in the same way everywhere', () => {
    expect(lexicalTerms('a'.repeat(200))).toEqual(['a'.repeat(64)]);
    expect(lexicalTerms('A'.repeat(200))).toEqual(['a'.repeat(64)]);
    expect(lexicalTerms(`a${'𐐨'.repeat(100)}`)).toEqual([`a${'𐐨'.repeat(31)}`]);
  });

  it('gives terms of letters, digits and underscores alone, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const term of lexicalTerms(text)) expect(term).toMatch(/^[\p{L}\p{N}_]+$/u);
      }),
    );
  });

  it('gives terms that FTS5 takes as one token each, unchanged', () => {
    const terms = lexicalTerms('cutDocument snake_case Café 向量检索 Straße ЖУРНАЛ ΟΔΟΣ हिन्दी عربي 42 x1');
    const database = new DatabaseSync(':memory:');
    database.exec(`CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = "unicode61 remove_diacritics 0 tokenchars '_'")`);
    database.exec(`CREATE VIRTUAL TABLE vocabulary USING fts5vocab(texts, instance)`);
    database.prepare('INSERT INTO texts VALUES (?)').run(terms.join(' '));
    const tokens = database
      .prepare('SELECT term FROM vocabulary ORDER BY offset')
      .all()
      .map(({ term }) => term);
    expect(tokens).toEqual(terms);
  });
});
