import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { RevisedDocument } from '../../src/contracts/document.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { areForgotten } from '../../src/erasure/forgotten.ts';
import { defineStep } from '../../src/engine/define.ts';
import type { DocumentKey } from '../../src/ports/document-store.ts';

const pageSize = 200;

/** Takes every document of a tenant that its source still holds, sorted by id, as of one version of the store. */
export const snapshotDocuments = defineStep({
  name: 'snapshot-documents',
  version: 1,
  summary: 'Take the documents as they stand at one version of the store',
  params: z.strictObject({ tenant: z.string().min(1).default('default') }),
  inputs: {},
  outputs: { documents: rows('documents', RevisedDocument) },
  needs: ['documentStore', 'metadataStore'],
  async observe({ ports }) {
    return `${await ports.documentStore.identity()} ${await ports.documentStore.version()}`;
  },
  async run({ params, ports, outputs, signal, count, progress }) {
    const { documentStore } = ports;
    const before = await documentStore.version();
    let after: DocumentKey | undefined;
    for (let taken = 0; ;) {
      signal.throwIfAborted();
      const page = await documentStore.scan({ tenant: params.tenant, limit: pageSize, ...(after && { after }) });
      // A source that is not ours may still hold what was forgotten.
      const forgotten = await areForgotten(ports.metadataStore, page);
      for (const [at, { vanished, ...document }] of page.entries()) {
        if (forgotten[at]) count('forgotten');
        else if (vanished) count('vanished');
        else await outputs.documents.write(document);
      }
      progress((taken += page.length));
      const last = page.at(-1);
      if (last === undefined || page.length < pageSize) break;
      after = { tenant: last.tenant, id: last.id };
    }
    if ((await documentStore.version()) !== before) {
      throw new ProblemError({
        reason: 'source-changed',
        message: 'Documents changed while they were read, so that the snapshot would mix two versions of the source',
        hint: 'Run it again: twin run dataset-pipeline',
        exit: 1,
      });
    }
  },
});
