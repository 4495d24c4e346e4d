import { expect, test } from 'vitest';
import { Chunk } from '../../../src/contracts/document.ts';
import { chunkDocuments } from '../../../steps/feature/chunk-documents.ts';
import { mapRow } from '../../support/step-rig.ts';
import { cleanDocumentOf, wordTokenizer } from '../../text/documents.ts';

const sentence = 'One two three four five six seven eight nine.';

test('cuts a document into chunks that fit the tokenizer’s window', async () => {
  const row = cleanDocumentOf(`# Title\n\n${Array.from({ length: 12 }, () => sentence).join(' ')}`);
  const { result } = await mapRow(chunkDocuments, row, { ports: { tokenizer: wordTokenizer(50) } });
  const chunks = Chunk.array().min(3).parse(result);
  expect(chunks.map(({ tokens }) => tokens <= 50)).toEqual(chunks.map(() => true));
  expect(chunks.map(({ headings }) => headings)).toEqual(chunks.map(() => ['Title']));
});

test('cuts smaller where it is asked to', async () => {
  const row = cleanDocumentOf(`${sentence} ${sentence} ${sentence}`);
  const tokenizer = wordTokenizer();
  const { result } = await mapRow(chunkDocuments, row, { params: { maxTokens: 10, overlapTokens: 0 }, ports: { tokenizer } });
  expect(
    Chunk.array()
      .parse(result)
      .map(({ text }) => text),
  ).toEqual([sentence, sentence, sentence]);
});

test('drops a document that holds white space alone', async () => {
  expect(await mapRow(chunkDocuments, cleanDocumentOf(' \n'), { ports: { tokenizer: wordTokenizer() } })).toMatchObject({
    result: { dropped: 'empty' },
  });
});
