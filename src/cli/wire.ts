import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readUrl, secretReader } from '../config/secret.ts';
import type { Config } from '../config/schema.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { PortName, Ports, PortSource } from '../ports/ports.ts';
import type { PythonRuntime } from '../workers/python-runtime.ts';
import { withCacheTables } from './cache-tables.ts';
import { newLifetime } from './lifetime.ts';
import { installation } from './project.ts';
import { type StateFolder, stateFolder } from './state-folder.ts';

/** What a command may write: a store that is not there yet and may not be made is an empty one in memory. */
export type Writes = 'everything' | 'caches' | 'nothing';

/** What adapters are made of. */
export interface WireOptions {
  readonly config: Config;
  /** Where twin was started: the state folder is relative to it. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A line a stage, while the Python environment is built. */
  readonly progress: (line: string) => void;
  readonly writes: Writes;
  /** Jobs go on for as long as they take, whoever follows them. */
  readonly detached?: boolean;
  /** Jobs on this machine are forked from a warm parent, whatever the configuration has as its default. */
  readonly warmJobs?: boolean;
}

/** Everything that a command may open; nothing is opened before it is asked for. */
export interface Wired {
  readonly state: StateFolder;
  readonly ports: PortSource;
  /** The Python environment and the code of the workers. */
  python(): Promise<PythonRuntime>;
  journal(): Promise<MetadataStore>;
  stores(): Promise<{ readonly metadata: MetadataStore; readonly cache: MetadataStore; readonly artifacts: ArtifactStore }>;
  /** Closes all that was opened and ends services; safe to call twice. */
  dispose(): Promise<void>;
}

/** The composition root: the adapter that the configuration names for each port, each imported when it is first needed. */
export function wire({ config, folder, environment, progress, writes, detached = false, warmJobs = false }: WireOptions): Wired {
  const state = stateFolder(config.state, folder);
  const file = (path: string, may = writes === 'everything') => (may || existsSync(path) ? path : ':memory:');
  const lifetime = newLifetime();
  const { once, closing, service } = lifetime;

  const python = once(async () => {
    const [{ pythonRuntime }, { userCacheFolder }] = await Promise.all([
      import('../workers/python-runtime.ts'),
      import('../workers/environment.ts'),
    ]);
    return pythonRuntime({
      workersFolder: join(installation, 'python-workers'),
      cacheFolder: userCacheFolder(environment),
      onProgress: progress,
    });
  });
  const openMetadataStore = async (subject: 'journal' | 'cache'): Promise<MetadataStore> => {
    const { metadataStore } = config;
    if (metadataStore.kind === 'mongodb') {
      const url = await readUrl(metadataStore.url, 'metadataStore.url', environment, folder);
      const { openMongoMetadataStore } = await import('../adapters/metadata-store/mongodb.ts');
      const place = { url, database: metadataStore.database, subject, setting: 'metadataStore.url' };
      return openMongoMetadataStore({ ...place, cache: subject === 'cache' });
    }
    const { openSqliteMetadataStore } = await import('../adapters/metadata-store/sqlite.ts');
    const path = subject === 'journal' ? file(state.journal) : file(state.cache, writes !== 'nothing');
    return openSqliteMetadataStore({ file: path, subject });
  };
  const journal = closing(() => openMetadataStore('journal'));
  const cache = closing(() => openMetadataStore('cache'));

  const mongoDocuments = async ({
    url,
    database,
    collection,
    namespaces,
    changes,
  }: Extract<Config['documentStore'], { kind: 'mongodb' }>) => {
    const { MongoDatabase } = await import('../clients/mongodb.ts');
    const standalone = changes === 'polling';
    const setting = 'documentStore.url';
    const found = await readUrl(url, setting, environment, folder);
    return {
      database: new MongoDatabase({ url: found, database, subject: 'document store', setting, standalone }),
      collection,
      namespaces: namespaces.map((namespace) => ({ ...namespace, tenant: namespace.tenant ?? config.tenant })),
      standalone,
    };
  };

  const open: { readonly [Name in PortName]: () => Promise<Ports[Name]> } = {
    metadataStore: once(async () => withCacheTables(await journal(), await cache())),
    artifactStore: closing(async () => {
      const { artifactStore } = config;
      if (artifactStore.kind === 'folder') {
        return (await import('../adapters/artifact-store/folder.ts')).openFolderArtifactStore({ folder: state.artifacts });
      }
      const { kind: _, accessKeyId, secretAccessKey, sessionToken, ...place } = artifactStore;
      const { openS3ArtifactStore } = await import('../adapters/artifact-store/s3.ts');
      if (accessKeyId === undefined || secretAccessKey === undefined) {
        return openS3ArtifactStore({ ...place, cacheFolder: state.artifacts });
      }
      const surroundings = { environment, folder };
      const read = {
        accessKeyId: secretReader(accessKeyId, 'artifactStore.accessKeyId', surroundings),
        secretAccessKey: secretReader(secretAccessKey, 'artifactStore.secretAccessKey', surroundings),
        sessionToken: sessionToken && secretReader(sessionToken, 'artifactStore.sessionToken', surroundings),
      };
      return openS3ArtifactStore({
        ...place,
        cacheFolder: state.artifacts,
        credentials: async () => ({
          accessKeyId: await read.accessKeyId(),
          secretAccessKey: await read.secretAccessKey(),
          ...(read.sessionToken && { sessionToken: await read.sessionToken() }),
        }),
      });
    }),
    documentStore: closing(async () => {
      if (config.documentStore.kind === 'sqlite')
        return (await import('../adapters/document-store/sqlite.ts')).openSqliteDocumentStore({ file: file(state.documents) });
      return (await import('../adapters/document-store/mongodb.ts')).openMongoDocumentStore(await mongoDocuments(config.documentStore));
    }),
    changeFeed: closing(async () => {
      const { documentStore } = config;
      if (documentStore.kind === 'sqlite')
        return (await import('../adapters/change-feed/sqlite.ts')).openSqliteChangeFeed({ file: file(state.documents) });
      const documents = await mongoDocuments(documentStore);
      if (documents.standalone) return (await import('../adapters/change-feed/mongodb-polling.ts')).openMongoPollingFeed(documents);
      return (await import('../adapters/change-feed/mongodb.ts')).openMongoChangeFeed(documents);
    }),
    vectorIndex: closing(async () => {
      const { vectorIndex } = config;
      if (vectorIndex.kind === 'sqlite')
        return (await import('../adapters/vector-index/sqlite.ts')).openSqliteVectorIndex({ file: file(state.index) });
      const { apiKey, ...options } = vectorIndex;
      const key = apiKey && secretReader(apiKey, 'vectorIndex.apiKey', { environment, folder });
      return (await import('../adapters/vector-index/qdrant.ts')).openQdrantVectorIndex({ ...options, apiKey: key });
    }),
    workQueue: closing(async () => {
      const { workQueue } = config;
      if (workQueue.kind === 'in-process') return (await import('../adapters/work-queue/in-process.ts')).openInProcessWorkQueue();
      const url = await readUrl(workQueue.url, 'workQueue.url', environment, folder);
      const { openBullWorkQueue } = await import('../adapters/work-queue/bullmq.ts');
      return openBullWorkQueue({ url, prefix: workQueue.prefix, setting: 'workQueue.url' });
    }),
    jobLauncher: once(async () => {
      const { leaseMinutes, deadlines, gpus } = config.jobLauncher;
      const shared = {
        jobsFolder: state.jobs,
        leaseSeconds: leaseMinutes === null || detached ? null : leaseMinutes * 60,
        deadlines,
        gpus,
      };
      if (config.jobLauncher.kind === 'ssh') {
        const { workersFolder } = await python();
        return (await import('../adapters/job-launcher/ssh.ts')).sshJobLauncher({ ...shared, workersFolder, remote: config.jobLauncher });
      }
      const runtime = await python();
      if (config.jobLauncher.kind === 'slurm') {
        return (await import('../adapters/job-launcher/slurm.ts')).slurmJobLauncher({ ...shared, runtime, slurm: config.jobLauncher });
      }
      const secrets = Object.fromEntries(config.jobLauncher.secrets.map((name) => [name, environment[name] ?? '']));
      return (await import('../adapters/job-launcher/local.ts')).localJobLauncher({
        ...shared,
        runtime,
        secrets,
        start: warmJobs ? 'warm' : config.jobLauncher.start,
      });
    }),
    tokenizer: once(async () => (await import('../adapters/tokenizer/hugging-face.ts')).huggingFaceTokenizer(await python())),
    embedder: service(async () => {
      const { embedder } = config;
      if (embedder.kind === 'fake') return (await import('../adapters/embedder/fake.ts')).fakeEmbedder(embedder);
      return (await import('../adapters/embedder/python.ts')).pythonEmbedder(await python());
    }),
    chatModels: service(async () => {
      const { chatModel } = config;
      const apiKey =
        chatModel.kind === 'openai-compatible' && chatModel.apiKey
          ? secretReader(chatModel.apiKey, 'chatModel.apiKey', { environment, folder })
          : undefined;
      return (await import('../adapters/chat-model/models.ts')).openChatModels({ runtime: await python(), config: chatModel, apiKey });
    }),
    modelHub: once(async () => {
      const { modelHub } = config;
      if (modelHub.kind === 'none') return null;
      const token = modelHub.token && secretReader(modelHub.token, 'modelHub.token', { environment, folder });
      return (await import('../adapters/model-hub/hugging-face.ts')).huggingFaceHub({ url: modelHub.url, token });
    }),
    reranker: once(() => Promise.resolve(null)),
  };

  return {
    state,
    python,
    journal,
    stores: async () => ({ metadata: await journal(), cache: await cache(), artifacts: await open.artifactStore() }),
    ports: {
      open: (name) => open[name](),
      async identity(name) {
        switch (name) {
          case 'tokenizer':
            return (await import('../adapters/tokenizer/hugging-face.ts')).huggingFaceTokenizerIdentity((await python()).lockFile);
          case 'embedder':
          case 'chatModels':
            return (await open[name]()).identity;
          case 'reranker':
            return 'none';
          default:
            return null;
        }
      },
    },
    dispose: () => lifetime.end(),
  };
}
