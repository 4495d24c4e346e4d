import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import { digestOf } from '../../src/contracts/digest.ts';
import { IndexState } from '../../src/contracts/index-state.ts';
import { defineStep } from '../../src/engine/define.ts';
import { observeIndex } from '../../src/index-sync/observe.ts';
import { followChanges } from '../../src/index-sync/sync.ts';
import { lexicalTerms } from '../../src/text/lexical.ts';
import { chunkDocuments } from './chunk-documents.ts';
import { cleanDocuments } from './clean-documents.ts';

/** Shows each way in which a text becomes terms: another outcome is another index. */
const termsProbe = 'Vector_index of camelCase HTTPServer x86, Ünïcödé ﬁles, 東京タワー and ภาษาไทย.';

/** Follows the change feed: each changed document is cleaned, cut and embedded anew, and the index gets what differs. */
export const syncIndex = defineStep({
  name: 'sync-index',
  version: 1,
  summary: 'Bring the index in step with the documents',
  params: z.strictObject({
    /** The alias that readers use. */
    index: z.string().min(1).default('documents'),
  }),
  inputs: {},
  outputs: { index: json('index-state', IndexState) },
  needs: ['changeFeed', 'documentStore', 'embedder', 'metadataStore', 'tokenizer', 'vectorIndex'],
  rows: { clean: cleanDocuments, chunk: chunkDocuments },
  effect: ({ index }) => `index:${index}`,
  observe: ({ params, ports }) => observeIndex(params.index, ports),
  async run({ params, ports, rows, outputs, forced, ...tools }) {
    const { clean, chunk } = rows;
    const fingerprint = {
      clean: clean.identity,
      chunk: chunk.identity,
      tokenizer: ports.tokenizer.identity,
      embedder: ports.embedder.identity,
      terms: digestOf(lexicalTerms(termsProbe)),
    };
    const { signal, count, log, progress } = tools;
    await outputs.index.write(
      await followChanges(
        { ...params, rescan: forced, fingerprint, clean, chunk, terms: lexicalTerms, signal, count, log, progress },
        ports,
      ),
    );
  },
});
