import { z } from 'zod';
import { Deadlines } from '../contracts/deadlines.ts';

/** A secret, by where it is found: its value is read when it is needed, and never stored, printed or hashed. */
export const SecretReference = z.union([
  z.strictObject({
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .describe('Name of the environment variable that holds the secret.'),
  }),
  z.strictObject({ file: z.string().min(1).describe('File that holds the secret, relative to where twin is started.') }),
  z.strictObject({
    command: z
      .array(z.string().min(1))
      .min(1)
      .describe('Program and arguments that print the secret: [pass, show, openai]. No shell is used.'),
  }),
]);
export type SecretReference = z.output<typeof SecretReference>;

/** Where a server is: a URL without credentials, or a secret that holds the whole URL. */
const serverUrl = (schemes: RegExp, example: string) =>
  z.union([z.string().regex(schemes).describe(`For example ${example}, without user and password.`), SecretReference]);

const MetadataStore = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sqlite').describe('A file in the state folder, of this machine alone.') }),
  z.strictObject({
    kind: z.literal('mongodb').describe('A MongoDB replica set of version 6.0 or newer, shared by every host.'),
    url: serverUrl(/^mongodb(\+srv)?:\/\//, 'mongodb://127.0.0.1:27017/?replicaSet=twin'),
    database: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,63}$/)
      .default('twin')
      .describe('Holds the journal alone: another one than that of the documents.'),
  }),
]);

const ArtifactStore = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('folder').describe('A folder in the state folder, of this machine alone.') }),
  z.strictObject({
    kind: z.literal('s3').describe('A bucket of Amazon S3 or of a server that speaks its protocol, shared by every host.'),
    endpoint: z.url().optional().describe('Base of the server, such as http://127.0.0.1:9000; none for Amazon itself.'),
    region: z.string().min(1).default('us-east-1'),
    bucket: z.string().min(3),
    prefix: z
      .string()
      .regex(/^([^/]+\/)*$/)
      .default('')
      .describe('Put before every key, such as team/twin/.'),
    accessKeyId: SecretReference.optional().describe('None of both: whatever the machine offers (environment, profile, instance role).'),
    secretAccessKey: SecretReference.optional(),
    sessionToken: SecretReference.optional(),
  }),
]);

const WorkQueue = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('in-process').describe('In the memory of the process that runs: every step runs there.') }),
  z.strictObject({
    kind: z.literal('redis').describe('BullMQ on Redis 6.2 or newer: steps are handed to every twin worker.'),
    url: serverUrl(/^rediss?:\/\//, 'redis://127.0.0.1:6379'),
    prefix: z.string().min(1).default('twin').describe('Put before every key in Redis.'),
  }),
]);

const Embedder = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('python').describe('all-MiniLM-L6-v2 in a long-lived Python service.') }),
  z.strictObject({
    kind: z
      .literal('fake')
      .describe(
        'Vectors out of the hashes of words, without any model: for trying pipelines out and for tests. Meaning plays no part in it; the tokenizer is still that of the Python environment.',
      ),
    dimension: z.int().positive().default(384),
  }),
]);

const ChatModel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none').describe('Nothing is answered in words: ask shows passages.') }),
  z.strictObject({
    kind: z
      .literal('openai-compatible')
      .describe('Any endpoint that speaks the chat completions of OpenAI: vLLM, llama.cpp, Ollama, OpenAI.'),
    url: z.url().describe('Base of the API, with its version: http://localhost:11434/v1'),
    model: z.string().min(1).describe('The name by which the endpoint knows the model.'),
    apiKey: SecretReference.optional().describe('Where the key is found; none where the endpoint asks for none.'),
  }),
]);

const VectorIndex = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sqlite').describe('A file in the state folder, searched exactly.') }),
  z.strictObject({
    kind: z.literal('qdrant').describe('A Qdrant server, 1.17 or newer.'),
    url: z.url({ protocol: /^https?$/ }).describe('Where it is: http://localhost:6333. The port is 6333 where none is named.'),
    apiKey: SecretReference.optional().describe('Where the key is found; none where the server asks for none.'),
    quantization: z
      .enum(['none', 'int8'])
      .default('none')
      .describe('int8 holds a quarter of each vector in memory and looks the best up again in full. For collections made from then on.'),
    onDisk: z.boolean().default(false).describe('Leave vectors on disk. For collections made from then on.'),
  }),
]);

const ModelHub = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none').describe('Models are neither pushed nor pulled.') }),
  z.strictObject({
    kind: z.literal('hugging-face').describe('The Hugging Face Hub, or a server that speaks like it.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Base of the hub; the public one where none is named.'),
    token: SecretReference.optional().describe('Where the token is found; only public models can be pulled without one.'),
  }),
]);

const jobKeys = {
  leaseMinutes: z
    .number()
    .positive()
    .nullable()
    .default(15)
    .describe('Minutes that a job goes on without any twin that follows it, before it saves and stops; null for ever.'),
  deadlines: Deadlines.prefault({}).describe('When a job counts as hung.'),
  gpus: z
    .int()
    .nonnegative()
    .default(1)
    .describe('GPUs that a job is given where the machine has any; it waits for them. 0 keeps jobs on the CPU.'),
  pricePerHour: z.number().nonnegative().nullable().default(null).describe('What an hour of a job costs, for what is shown of it.'),
};

const JobLauncher = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('local').describe('On this machine.'),
    secrets: z
      .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/))
      .default([])
      .describe('Environment variables that jobs get; their values are masked in all that jobs write.'),
    start: z
      .enum(['warm', 'spawn'])
      .default('spawn')
      .describe('warm: one process imports the libraries and forks every job of a run; spawn: each job imports for itself.'),
    ...jobKeys,
  }),
  z.strictObject({
    kind: z.literal('ssh').describe('On another machine, over ssh; code and inputs are copied there.'),
    host: z.string().min(1).describe('As ssh knows it: a name of ~/.ssh/config will do.'),
    user: z.string().min(1).optional(),
    port: z.int().positive().optional(),
    identityFile: z.string().min(1).optional().describe('File of the private key.'),
    folder: z
      .string()
      .min(1)
      .default('.cache/twin/remote')
      .describe('Folder there for code, inputs and jobs, relative to the login folder.'),
    python: z.string().min(1).describe('The interpreter there, of an environment made from python-workers/requirements.lock.'),
    options: z.array(z.string()).default([]).describe('Further options of ssh, as after -o.'),
    ...jobKeys,
  }),
  z.strictObject({
    kind: z
      .literal('slurm')
      .describe('On a Slurm cluster; the state folder and the Python environment lie on a file system that its nodes share.'),
    partition: z.string().min(1).optional(),
    account: z.string().min(1).optional(),
    timeLimit: z.string().min(1).optional().describe('As sbatch takes it: 04:00:00'),
    signalSeconds: z.int().positive().default(300).describe('Seconds before the time limit at which a job saves and stops.'),
    arguments: z.array(z.string()).default([]).describe('Further arguments of sbatch: [--gres=gpu:1, --mem=64G]'),
    ...jobKeys,
  }),
]);

const path = z.string().min(1);

const DocumentNamespace = z.strictObject({
  collection: z.string().min(1).describe('A collection of another application in the same database; it is read and never written.'),
  tenant: z.string().min(1).optional().describe('Whose documents they are; the configured tenant where it is left out.'),
  fields: z
    .strictObject({
      content: path.describe('Where the text stands: body.text'),
      address: path.optional().describe('Where the document lives, a URL; made of collection and _id where it is left out.'),
      title: path.optional(),
      authorId: path.optional(),
      authorName: path.optional(),
      platform: path.optional(),
      language: path.optional().describe('The programming language of code.'),
    })
    .describe('Paths within a document, joined by dots.'),
  contentType: z.enum(['markdown', 'text', 'html', 'code']).default('text'),
  changedAt: path.optional().describe('Where the time of the last change stands; needed where changes are found by polling.'),
});

const DocumentStore = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sqlite').describe('A file in the state folder, of this machine alone.') }),
  z.strictObject({
    kind: z.literal('mongodb').describe('A MongoDB database of version 6.0 or newer.'),
    url: serverUrl(/^mongodb(\+srv)?:\/\//, 'mongodb://127.0.0.1:27017/?replicaSet=twin'),
    database: z
      .string()
      .regex(/^[^/\\. "$*<>:|?]{1,63}$/)
      .describe('Holds the documents: another one than that of the journal.'),
    collection: z.string().min(1).default('documents').describe('Where twin keeps what it collects itself.'),
    namespaces: z.array(DocumentNamespace).default([]).describe('Collections of other applications that are indexed too.'),
    changes: z
      .enum(['stream', 'polling'])
      .default('stream')
      .describe(
        'polling is for a server without a replica set. It goes by clocks: a change that is written with an older time than was read before is missed, deletes are found by comparing all keys, and an older copy put in its place is not noticed.',
      ),
  }),
]);

/** Everything that can be configured, after all layers. Parameters of steps are checked against the steps themselves. */
export const Config = z.strictObject({
  state: z.string().min(1).default('.twin').describe('Folder that holds all state, relative to where twin is started.'),
  tenant: z.string().min(1).default('default').describe('Whose documents are collected, indexed and searched.'),
  index: z.string().min(1).default('documents').describe('Name of the vector index that ask reads and sync-index fills.'),
  metadataStore: MetadataStore.prefault({ kind: 'sqlite' }).describe('Where runs, steps, models, the ledger and cursors are kept.'),
  documentStore: DocumentStore.prefault({ kind: 'sqlite' }).describe('Where documents are kept.'),
  artifactStore: ArtifactStore.prefault({ kind: 'folder' }).describe('Where rows, models and other outputs are kept.'),
  workQueue: WorkQueue.prefault({ kind: 'in-process' }).describe('How steps are handed to workers.'),
  embedder: Embedder.prefault({ kind: 'python' }),
  vectorIndex: VectorIndex.prefault({ kind: 'sqlite' }),
  chatModel: ChatModel.prefault({ kind: 'none' }),
  jobLauncher: JobLauncher.prefault({ kind: 'local' }),
  modelHub: ModelHub.prefault({ kind: 'none' }),
  reranker: z.literal('off').default('off').describe('Reorders passages after the search; off.'),
  promotion: z
    .strictObject({ alias: z.string().min(1).default('champion').describe('The alias that a passed evaluation moves.') })
    .prefault({}),
  pools: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
      z.strictObject({
        limit: z.int().positive().max(1000).default(1).describe('Steps that work at once.'),
        perMinute: z.number().positive().optional().describe('Steps that begin in a minute; of a map step, rows that are computed.'),
      }),
    )
    .default({})
    .describe('Named pools, over all processes that share the state: a step names its own. One step at once where a pool is not named.'),
  params: z
    .record(z.string(), z.json())
    .default({})
    .describe('Parameters of steps by address, <step>.<param>, as nested maps or joined by dots.'),
});
export type Config = z.output<typeof Config>;

/** A file in configs/: any of the keys; what it leaves out comes from the layers below. Parameters of each pipeline are described in a schema beside it. */
export const configFileJsonSchema = (pipelines: readonly string[]) => {
  const schema = z.toJSONSchema(Config, { io: 'input' });
  const params = schema.properties!['params'] as object;
  const ofPipelines = Object.fromEntries(pipelines.map((name) => [name, { $ref: `${name}.schema.json#/properties/params` }]));
  return {
    ...schema,
    properties: { ...schema.properties, params: { ...params, properties: ofPipelines } },
    title: 'twin configuration',
    description: 'base.yaml, profiles/*.yaml and local.yaml in configs/. A file in configs/pipelines/ holds only params.',
  };
};
