import { z } from 'zod';
import { json, verdict } from '../../src/contracts/artifact.ts';
import { IndexState, IndexVerdict } from '../../src/contracts/index-state.ts';
import { defineStep } from '../../src/engine/define.ts';
import { fingerprintOf } from '../../src/index-sync/fingerprint.ts';
import { observeIndex } from '../../src/index-sync/observe.ts';
import { followChanges } from '../../src/index-sync/sync.ts';
import { lexicalTerms } from '../../src/text/lexical.ts';
import { chunkDocuments } from './chunk-documents.ts';
import { cleanDocuments } from './clean-documents.ts';

/** Follows the change feed: each changed document is cleaned, cut and embedded anew, and the index gets what differs. */
export const syncIndex = defineStep({
  name: 'sync-index',
  version: 1,
  summary: 'Bring the index in step with the documents',
  params: z.strictObject({
    /** The alias that readers use. */
    index: z.string().min(1).default('documents'),
    /** A new generation takes over when this many documents, worked out anew, are in it as they should be … */
    gateDocuments: z.int().nonnegative().default(64),
    /** … and searches for their points by their own vectors find this part of them. */
    gateRecall: z.number().min(0).max(1).default(0.95),
    /** How long the generation before can be rolled back to. */
    keepDays: z.number().nonnegative().default(7),
    /** A collection of the source was dropped, renamed or replaced: `hold` stops until a person decides, `purge` removes its points. */
    onNamespaceChange: z.enum(['hold', 'purge']).default('hold'),
  }),
  inputs: {},
  outputs: { index: json('index-state', IndexState), verdict: verdict('index-verdict', IndexVerdict) },
  needs: ['changeFeed', 'documentStore', 'embedder', 'metadataStore', 'tokenizer', 'vectorIndex'],
  rows: { clean: cleanDocuments, chunk: chunkDocuments },
  effect: ({ index }) => `index:${index}`,
  observe: ({ params, ports }) => observeIndex(params.index, ports),
  async run({ params, ports, rows, outputs, forced, ...tools }) {
    const { clean, chunk } = rows;
    const fingerprint = fingerprintOf(rows, ports);
    const { signal, count, log, progress } = tools;
    const gate = { floors: { sample: params.gateDocuments, recall: params.gateRecall }, keepMs: params.keepDays * 24 * 3600 * 1000 };
    const synced = await followChanges(
      {
        index: params.index,
        onNamespaceChange: params.onNamespaceChange,
        ...gate,
        rescan: forced,
        fingerprint,
        clean,
        chunk,
        terms: lexicalTerms,
        signal,
        count,
        log,
        progress,
      },
      ports,
    );
    await outputs.index.write(synced.state);
    await outputs.verdict.write(synced.verdict);
  },
});
