import type { StoredDocument } from '../contracts/document.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { DocumentStore } from '../ports/document-store.ts';

const pageSize = 500;

/** The document with an id, an address, or the end of an address or start of an id that only one has; throws where none or several fit. */
export async function findDocument(store: DocumentStore, tenant: string, name: string): Promise<StoredDocument> {
  const [exact] = await store.get([{ tenant, id: name }]);
  if (exact?.document) return exact.document;
  const found: StoredDocument[] = [];
  for (let after: { readonly tenant: string; readonly id: string } | undefined; ;) {
    const page = await store.scan({ tenant, limit: pageSize, ...(after && { after }) });
    for (const document of page) {
      if (document.address === name) return document;
      if (document.id.startsWith(name) || document.address.endsWith(name)) found.push(document);
    }
    if (page.length < pageSize) break;
    after = { tenant, id: page.at(-1)!.id };
  }
  if (found.length === 1) return found[0]!;
  throw new ProblemError({
    reason: found.length === 0 ? 'unknown-document' : 'ambiguous-name',
    message: found.length === 0 ? `There is no document ${name}` : `${name} names ${found.length} documents`,
    expected: 'an id, an address, or the end of one',
    ...(found.length > 0 && {
      found: found
        .slice(0, 5)
        .map(({ address }) => address)
        .join(', '),
    }),
    hint: found.length === 0 ? 'Collect it first: twin collect <path>' : 'Give more of it.',
    exit: 2,
  });
}
