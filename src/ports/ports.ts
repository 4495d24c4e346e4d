import type { ArtifactStore } from './artifact-store.ts';
import type { ChangeFeed } from './change-feed.ts';
import type { ChatModels } from './chat-model.ts';
import type { DocumentStore } from './document-store.ts';
import type { Embedder } from './embedder.ts';
import type { JobLauncher } from './job-launcher.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { ModelHub } from './model-hub.ts';
import type { Reranker } from './reranker.ts';
import type { Tokenizer } from './tokenizer.ts';
import type { VectorIndex } from './vector-index.ts';
import type { WorkQueue } from './work-queue.ts';

/** Every port by the name under which a step asks for it. */
export interface Ports {
  readonly artifactStore: ArtifactStore;
  readonly changeFeed: ChangeFeed;
  readonly chatModels: ChatModels;
  readonly documentStore: DocumentStore;
  readonly embedder: Embedder;
  readonly jobLauncher: JobLauncher;
  readonly metadataStore: MetadataStore;
  /** Null where none is configured, which is the default. */
  readonly modelHub: ModelHub | null;
  /** Null where none is configured, which is the default. */
  readonly reranker: Reranker | null;
  readonly tokenizer: Tokenizer;
  readonly vectorIndex: VectorIndex;
  readonly workQueue: WorkQueue;
}

/** The name of a port. */
export type PortName = keyof Ports;

/**
 * Opens ports when they are first needed, and names those whose identity changes results (tokenizer, embedder, reranker, chatModels).
 * `identity` starts nothing; null where a port has no identity of its own.
 */
export interface PortSource {
  open<Name extends PortName>(name: Name): Promise<Ports[Name]>;
  identity(name: PortName): Promise<string | null>;
}
