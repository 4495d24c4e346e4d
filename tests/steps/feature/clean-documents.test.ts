import { expect, test } from 'vitest';
import { revisionOf } from '../../../src/contracts/document.ts';
import { cleanDocuments } from '../../../steps/feature/clean-documents.ts';
import { exampleDocument } from '../../support/documents.ts';
import { mapRow } from '../../support/step-rig.ts';

const revised = (content: string) => {
  const document = exampleDocument('a', { content });
  return { ...document, revision: revisionOf(document) };
};

test('cleans a document, names the revision it came from, and counts what was dropped', async () => {
  const row = revised('# 𝗔 title\r\n\r\nText.<!-- note -->\r\n');
  const { result, counts } = await mapRow(cleanDocuments, row);
  const dropped = { 'carriage-return': 3, 'fake-letter': 1, 'html-comment': 13, 'blank-line': 1 };
  expect(result).toMatchObject({ id: 'a', text: '# A title\n\nText.', sources: [{ document: 'a', revision: row.revision }], dropped });
  expect(counts).toEqual(Object.fromEntries(Object.entries(dropped).map(([reason, amount]) => [`characters-dropped-${reason}`, amount])));
  expect(cleanDocuments.output.schema.parse(result)).toEqual(result);
});

test('drops a document of which nothing can be read', async () => {
  expect(await mapRow(cleanDocuments, revised('<!-- nothing -->'))).toEqual({ result: { dropped: 'empty' }, counts: {} });
});
