import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import { digestOf } from '../../src/contracts/digest.ts';
import { collectDocuments } from '../../src/collect/collect-documents.ts';
import { Collection } from '../../src/collect/collection.ts';
import { sourcesToken } from '../../src/collect/list-files.ts';
import { defineStep } from '../../src/engine/define.ts';

export const collectSources = defineStep({
  name: 'collect-sources',
  version: 1,
  summary: 'Read files, folders, git working trees and exports into the document store',
  params: z.strictObject({
    /** Files and folders, from the working folder. */
    sources: z.array(z.string().min(1)).default(['README.md', 'docs']),
    /** Delete documents that their source no longer holds, instead of marking them. */
    prune: z.boolean().default(false),
    tenant: z.string().min(1).default('default'),
    /** Files of this many bytes or more are not read; of JSON Lines, lines. */
    maxBytes: z.int().positive().default(50_000_000),
  }),
  inputs: {},
  outputs: { collection: json('collection', Collection) },
  needs: ['documentStore'],
  effect: () => 'documents',
  async observe({ params, ports }) {
    const { documentStore } = ports;
    return digestOf([await sourcesToken(params.sources, process.cwd()), await documentStore.identity(), await documentStore.version()]);
  },
  async run({ params, ports, outputs, signal, count, log, progress }) {
    const collection = await collectDocuments({ ...params, from: process.cwd(), signal, progress }, ports.documentStore);
    const { equalContentPairs: _pairs, rejections, sources, ...counts } = collection;
    for (const { message } of rejections) log(message);
    for (const { source, complete } of sources) if (!complete) log(`${source} was not read completely: nothing in it counts as vanished`);
    for (const [name, amount] of Object.entries(counts)) count(name, amount);
    await outputs.collection.write(collection);
  },
});
