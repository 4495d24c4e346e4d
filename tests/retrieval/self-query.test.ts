import { describe, expect, test } from 'vitest';
import { expandQuestion } from '../../src/retrieval/expand-question.ts';
import { deriveFilter, narrow } from '../../src/retrieval/self-query.ts';
import { scriptedChatModel } from '../support/scripted-chat-model.ts';

const facets = { authors: [{ id: 'a1', name: 'Ada' }], platforms: ['medium'] };

describe('a derived filter', () => {
  test('holds only authors and platforms that are known', async () => {
    expect(await deriveFilter('What does Ada say?', facets, scriptedChatModel('{"author": "Ada", "platform": null}'))).toEqual({
      authorIds: ['a1'],
    });
    expect(await deriveFilter('What does Bob say?', facets, scriptedChatModel('{"author": "Bob", "platform": "medium"}'))).toEqual({
      platforms: ['medium'],
    });
  });

  test('is empty where the reply cannot be read', async () => {
    for (const reply of ['', 'Ada', '{"author": 7}', '{broken'])
      expect(await deriveFilter('Why?', facets, scriptedChatModel(reply))).toEqual({});
  });

  test('never replaces a hard condition', () => {
    expect(narrow({ authorIds: ['a2'] }, { authorIds: ['a1'], platforms: ['medium'] })).toEqual({
      authorIds: ['a2'],
      platforms: ['medium'],
    });
  });
});

describe('an expanded question', () => {
  test('begins with the question itself, and loses numbers and repetitions', async () => {
    expect(await expandQuestion('Why?', scriptedChatModel('1. For what reason?\n- Why?\n\n2) How come?\nmore'), 2)).toEqual([
      'Why?',
      'For what reason?',
      'How come?',
    ]);
  });
});
