import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import { digestOf } from '../../src/contracts/digest.ts';
import { collectDocuments } from '../../src/collect/collect-documents.ts';
import { Collection } from '../../src/collect/collection.ts';
import { knownSources, rememberSources } from '../../src/collect/known-sources.ts';
import { sourcesToken } from '../../src/collect/list-files.ts';
import type { Document } from '../../src/contracts/document.ts';
import { areForgotten } from '../../src/erasure/forgotten.ts';
import { defineStep } from '../../src/engine/define.ts';

export const collectSources = defineStep({
  name: 'collect-sources',
  version: 1,
  summary: 'Read files, folders, git working trees and exports into the document store',
  params: z.strictObject({
    /** Files and folders, from the working folder; none for those that were collected before. */
    sources: z.array(z.string().min(1)).default([]),
    /** Delete documents that their source no longer holds, instead of marking them. */
    prune: z.boolean().default(false),
    tenant: z.string().min(1).default('default'),
    /** Files of this many bytes or more are not read; of JSON Lines, lines. */
    maxBytes: z.int().positive().default(50_000_000),
  }),
  inputs: {},
  outputs: { collection: json('collection', Collection) },
  needs: ['documentStore', 'metadataStore'],
  effect: () => 'documents',
  async observe({ params, ports }) {
    const { documentStore, metadataStore } = ports;
    const sources = params.sources.length > 0 ? params.sources : await knownSources(metadataStore);
    return digestOf([await sourcesToken(sources, process.cwd()), await documentStore.identity(), await documentStore.version()]);
  },
  async run({ params, ports, outputs, signal, count, log, progress }) {
    const sources = params.sources.length > 0 ? params.sources : await knownSources(ports.metadataStore);
    if (sources.length === 0) log('No source is known yet. Name one: twin collect PATH');
    const refuses = async (document: Document) => {
      const [forgotten = false] = await areForgotten(ports.metadataStore, [document]);
      if (forgotten) count('forgotten');
      return forgotten;
    };
    const collection = await collectDocuments({ ...params, sources, from: process.cwd(), signal, refuses, progress }, ports.documentStore);
    await rememberSources(ports.metadataStore, sources);
    const { equalContentPairs: _pairs, rejections, sources: read, ...counts } = collection;
    for (const { message } of rejections) log(message);
    for (const { source, complete } of read) if (!complete) log(`${source} was not read completely: nothing in it counts as vanished`);
    for (const [name, amount] of Object.entries(counts)) count(name, amount);
    await outputs.collection.write(collection);
  },
});
