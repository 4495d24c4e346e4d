import { z } from 'zod';

/** What is done where a health rule finds something; `pause` saves and stops, `roll-back` goes on from the best checkpoint at half the rate. */
const HealthAction = z.enum(['ignore', 'warn', 'pause', 'roll-back', 'stop']);

/** What is watched while a model trains. */
export const HealthParams = z.strictObject({
  /** A loss or gradient that is no number. */
  notFinite: HealthAction.default('stop'),
  /** A loss far above those before it. */
  lossSpike: HealthAction.default('warn'),
  /** Gradients a hundred times their median, three steps in a row. */
  gradientExplosion: HealthAction.default('stop'),
  /** Every preference told apart from the first steps on: the pairs teach nothing. */
  easyPreferences: HealthAction.default('warn'),
  /** Chosen answers become less likely while the margin grows. */
  chosenRewardFalls: HealthAction.default('warn'),
  /** A GPU that is busy for less than a tenth of the time, for `idleDeviceMinutes` of training. */
  idleDevice: HealthAction.exclude(['roll-back']).default('warn'),
  idleDeviceMinutes: z.number().positive().default(60),
});

const TrainingParams = {
  /** Optimizer steps; where null, `epochs` decides. */
  maxSteps: z.int().positive().nullable().default(null),
  epochs: z.number().positive().default(1),
  batchSize: z.int().positive().default(4),
  gradientAccumulation: z.int().positive().default(1),
  maxLength: z.int().positive().default(512),
  warmupSteps: z.int().nonnegative().default(2),
  /** Optimizer steps between checkpoints; where null, as often as costs at most a twentieth of the time. */
  saveEvery: z.int().positive().nullable().default(null),
  seed: z.int().nonnegative().default(7),
  schedule: z.enum(['cosine', 'linear', 'constant']).default('cosine'),
  weightDecay: z.number().nonnegative().default(0),
  /** Gradients are clipped to this norm. */
  maxGradNorm: z.number().positive().default(1),
  /** `adamw-8-bit` needs a GPU and bitsandbytes; untried on hardware. */
  optimizer: z.enum(['adamw', 'adamw-8-bit']).default('adamw'),
  /** Recompute activations instead of keeping them: less memory, more time. Where null, on a GPU only. */
  gradientCheckpointing: z.boolean().nullable().default(null),
  health: HealthParams.prefault({}),
};

/** Low-rank adapters on the attention and feed-forward projections of a Llama-shaped model. */
export const LoraParams = z.strictObject({
  rank: z.int().positive().default(16),
  alpha: z.int().positive().default(32),
  dropout: z.number().min(0).max(1).default(0),
  targets: z.array(z.string()).min(1).default(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'up_proj', 'down_proj', 'gate_proj']),
  /** Weight-decomposed: size and direction of a weight are learned apart (DoRA). */
  dora: z.boolean().default(false),
  /** Scaled by alpha / sqrt(rank) and not by alpha / rank, so that high ranks still learn (rsLoRA). */
  rankStabilized: z.boolean().default(false),
});

export type LoraParams = z.output<typeof LoraParams>;

/** A small Llama-shaped base, trained from nothing on the corpus: a toy that keeps every later job real on a CPU. */
export const PretrainTinyParams = z.strictObject({
  vocabularySize: z.int().min(300).default(4096),
  hiddenSize: z.int().positive().default(128),
  layers: z.int().positive().default(4),
  heads: z.int().positive().default(4),
  contextLength: z.int().positive().default(512),
  maxSteps: z.int().positive().default(60),
  batchSize: z.int().positive().default(8),
  learningRate: z.number().positive().default(3e-3),
  saveEvery: z.int().positive().nullable().default(null),
  seed: z.int().nonnegative().default(7),
});

/** What is trained: low-rank adapters, the same over a base in 4 bits (needs a GPU; untried on hardware), or every weight. */
export const Tuning = z.enum(['lora', 'qlora', 'full']);

/** Supervised tuning on instruction samples. */
export const TrainSftParams = z.strictObject({
  ...TrainingParams,
  learningRate: z.number().positive().default(1e-3),
  tuning: Tuning.default('lora'),
  /** Of `lora` and `qlora`. */
  lora: LoraParams.prefault({}),
  /** What carries loss: the last answer of a conversation, every answer in it, or all of the text. */
  learn: z.enum(['last-answer', 'answers', 'everything']).default('answers'),
  /** Several samples in one row, kept apart by the attention mask; refused where the model's attention cannot. */
  packing: z.boolean().default(false),
});
export type TrainSftParams = z.output<typeof TrainSftParams>;

/** Preference tuning of exactly the given SFT adapter by DPO; the frozen reference is that adapter. */
export const TrainDpoParams = z.strictObject({
  ...TrainingParams,
  learningRate: z.number().positive().default(1e-4),
  beta: z.number().positive().default(0.5),
  lossTypes: z.array(z.string()).min(1).default(['sigmoid']),
  /** How much each of several losses counts, in their order; null: each counts 1. */
  lossWeights: z.array(z.number().positive()).min(1).nullable().default(null),
  /** How probable it is that a pair is labelled the wrong way round; of the losses that know it (sigmoid, robust, exo_pair, …). */
  labelSmoothing: z.number().min(0).lt(0.5).default(0),
  /** Pairs that are held out, and measured each time that so large a part of the steps is done. */
  evaluation: z.strictObject({ share: z.number().min(0).lt(1).default(0), every: z.number().gt(0).max(1).default(0.2) }).prefault({}),
});

/** Merge an adapter into its base, and compare the logits of both on fixed prompts. */
export const MergeAdapterParams = z.strictObject({
  maxLogitDifference: z.number().positive().default(1e-4),
});

/** How numbers are stored in a GGUF file, the finest first. */
export const GgufQuantization = z.enum(['f16', 'q8_0', 'q5_0', 'q4_0']);
export type GgufQuantization = z.output<typeof GgufQuantization>;

/** Write a whole model as GGUF, and measure what the rounding costs: mean KL of the next token, in nats, on fixed prompts. */
export const ExportGgufParams = z.strictObject({
  quantization: GgufQuantization.default('q8_0'),
  maxMeanKl: z.number().positive().default(0.01),
});

/** How numbers become whole ones of 8 bits: by the largest of them, or by their range, so that no step is wasted. */
export const Int8Rounding = z.enum(['absmax', 'zero-point']);
export type Int8Rounding = z.output<typeof Int8Rounding>;

/** Write a whole model with weights of 8 bits, and measure what the rounding costs. */
export const ExportInt8Params = z.strictObject({
  rounding: Int8Rounding.default('absmax'),
  /** Samples that tell the ranges of what goes into each layer, which is then rounded too; 0: weights alone. */
  calibrationRows: z.int().nonnegative().default(0),
  maxMeanKl: z.number().positive().default(0.01),
});

/** What is taken out of a model: single weights (set to zero), or whole neurons, heads or layers (cut out). */
export const PruningMethod = z.enum(['magnitude', 'wanda', 'neurons', 'heads', 'layers']);
export type PruningMethod = z.output<typeof PruningMethod>;

/** Take out of a model what matters least. */
export const PruneModelParams = z.strictObject({
  method: PruningMethod.default('neurons'),
  /** How much of it: 0.25 is every fourth weight, neuron, head or layer. */
  share: z.number().gt(0).lt(1).default(0.25),
  /** Samples that show what matters; `magnitude` needs none. */
  calibrationRows: z.int().positive().default(64),
});

/** Tune a student on samples and on what a frozen teacher makes of them. */
export const DistillModelParams = z.strictObject({
  ...TrainingParams,
  learningRate: z.number().positive().default(5e-4),
  /**
   * `cross-entropies`: alpha * H(y, softmax(z_s)) + beta * H(softmax(z_t / tau), softmax(z_s / tau)).
   * `divergence`: alpha * H(y, softmax(z_s)) + beta * tau^2 * KL(softmax(z_t / tau) || softmax(z_s / tau)).
   */
  loss: z.enum(['cross-entropies', 'divergence']).default('divergence'),
  alpha: z.number().nonnegative().default(0.5),
  beta: z.number().nonnegative().default(0.5),
  temperature: z.number().positive().default(2),
});

/** One answer for each prompt row, greedy where temperature is 0. */
export const GenerateAnswersParams = z.strictObject({
  maxNewTokens: z.int().positive().default(96),
  temperature: z.number().nonnegative().default(0),
  seed: z.int().nonnegative().default(7),
  batchSize: z.int().positive().default(8),
});

/** The summed negative log likelihood of each reference answer under each model, and a greedy answer of each. */
export const ScoreItemsParams = z.strictObject({
  maxNewTokens: z.int().positive().default(64),
  batchSize: z.int().positive().default(8),
  /** Items that are also answered by generation, in the order of their ids; 0 for none. */
  generate: z.int().nonnegative().default(32),
  seed: z.int().nonnegative().default(7),
});

/** Repeats its input, slowly if asked: what tests of launching, following, cancelling and adopting run. */
export const EchoParams = z.strictObject({
  steps: z.int().positive().default(3),
  secondsPerStep: z.number().nonnegative().default(0),
  /** Ends with this exit code after the last step. */
  exitCode: z.int().nonnegative().default(0),
  /** Goes wrong in this way at `faultStep`, so that every verdict can be tested. */
  fault: z
    .enum([
      'none',
      'hang',
      'hang-with-gil',
      'print',
      'print-secret',
      'leave-processes',
      'out-of-memory',
      'device-fault',
      'divergence',
      'segmentation-fault',
      'kill',
    ])
    .default('none'),
  faultStep: z.int().nonnegative().default(0),
  /** How much the fault `print` prints. */
  faultBytes: z.int().nonnegative().default(0),
});

/** All mistakes of a training job at once, on a CPU and without its weights; and what it will take on every type of device. */
export const PreflightParams = z.strictObject({
  job: z.enum(['train-sft', 'train-dpo']),
  /** The params of that job, as it would be given them. */
  params: z.record(z.string(), z.json()),
  /** The shape of the adapter that DPO trains on; null where it trains every weight. */
  lora: LoraParams.nullable().prefault({}),
});

/** Every Python job: its params, and the names of the input and output artifacts that it reads and writes as files. */
export const jobs = {
  echo: { params: EchoParams, inputs: ['rows'], outputs: ['rows'] },
  'pretrain-tiny': { params: PretrainTinyParams, inputs: ['start', 'documents'], outputs: ['model', 'summary'] },
  'train-sft': { params: TrainSftParams, inputs: ['base', 'train', 'validation'], outputs: ['adapter', 'summary'] },
  'train-dpo': { params: TrainDpoParams, inputs: ['base', 'adapter', 'pairs'], outputs: ['adapter', 'summary'] },
  preflight: { params: PreflightParams, inputs: ['base', 'rows', 'validation'], outputs: ['report'] },
  'merge-adapter': { params: MergeAdapterParams, inputs: ['base', 'adapter'], outputs: ['model', 'summary'] },
  'export-gguf': { params: ExportGgufParams, inputs: ['model'], outputs: ['gguf', 'summary'] },
  'export-int8': { params: ExportInt8Params, inputs: ['model', 'samples'], outputs: ['int8', 'summary'] },
  'prune-model': { params: PruneModelParams, inputs: ['model', 'samples'], outputs: ['model', 'summary'] },
  'distill-model': { params: DistillModelParams, inputs: ['student', 'teacher', 'train', 'validation'], outputs: ['model', 'summary'] },
  'generate-answers': { params: GenerateAnswersParams, inputs: ['model', 'prompts'], outputs: ['answers'] },
  'score-items': { params: ScoreItemsParams, inputs: ['base', 'sft', 'candidate', 'incumbent', 'items'], outputs: ['scores'] },
} as const;

/** The name of a Python job, and of the file that holds it (in snake case). */
export type JobName = keyof typeof jobs;

/** What a training job says of itself when it ends. */
export const TrainingSummary = z.strictObject({
  job: z.string(),
  /** The job's params, as it was given them. */
  params: z.record(z.string(), z.json()),
  steps: z.int().nonnegative(),
  /** Mean loss of the last logged steps, nats a token; null where nothing was logged. */
  finalLoss: z.number().nullable(),
  /** Loss by step, as logged. */
  losses: z.array(z.strictObject({ step: z.int(), loss: z.number() })),
  validationLoss: z.number().nullable(),
  trainableParameters: z.int().nonnegative(),
  totalParameters: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  /** Tokens that carried loss, of all tokens seen in one pass. */
  trainedTokens: z.int().nonnegative(),
  totalTokens: z.int().nonnegative(),
  truncatedRows: z.int().nonnegative(),
  /** Rows left out because nothing in them would be learned, by reason. */
  droppedRows: z.record(z.string(), z.int().nonnegative()),
  seconds: z.number().nonnegative(),
  /** What was changed on the way so that the job could go on: a smaller batch, a lower rate. */
  adaptations: z.array(z.string()).default([]),
  promptTemplate: z.string(),
  /** Versions of the libraries that made the result (torch, transformers, trl, peft, …). */
  libraries: z.record(z.string(), z.string()),
  seed: z.int().nonnegative(),
});
export type TrainingSummary = z.output<typeof TrainingSummary>;

/** How a compressed model compares with the whole one. */
const Likeness = z.strictObject({
  /** What its weights take on disk. */
  bytes: z.int().positive(),
  /** What the weights of the whole model take. */
  sourceBytes: z.int().positive(),
  parameters: z.int().positive(),
  sourceParameters: z.int().positive(),
  /** KL(whole || compressed) of the next token, in nats, mean over the tokens of each fixed prompt and then over prompts. */
  meanKl: z.number(),
  /** Share of tokens after which both hold the same token for the likeliest. */
  sameFirstChoice: z.number().min(0).max(1),
  /** Tokens read in a second on the machine that compressed. */
  tokensPerSecond: z.strictObject({ model: z.number().positive(), compressed: z.number().positive() }),
});

/** What pruning took out, and what that cost before any healing. */
export const PruningSummary = z.strictObject({
  ...Likeness.shape,
  method: PruningMethod,
  share: z.number(),
  /** Share of the weights inside of layers that are zero. */
  zeros: z.number().min(0).max(1),
  calibrationRows: z.int().nonnegative(),
  libraries: z.record(z.string(), z.string()),
});
export type PruningSummary = z.output<typeof PruningSummary>;

/** What a distillation says of itself when it ends. */
export const DistillationSummary = z.strictObject({ ...TrainingSummary.shape, likeness: Likeness });
export type DistillationSummary = z.output<typeof DistillationSummary>;

const PreflightFinding = z.strictObject({ reason: z.string(), message: z.string(), hint: z.string().nullable() });

/** What a preflight found: problems forbid a run, warnings are to be weighed. */
export const PreflightReport = z.strictObject({
  job: z.string(),
  problems: z.array(PreflightFinding),
  warnings: z.array(PreflightFinding),
  counts: z
    .strictObject({
      given: z.int(),
      rows: z.int(),
      trainedTokens: z.int(),
      totalTokens: z.int(),
      truncatedRows: z.int(),
      droppedRows: z.record(z.string(), z.int()),
      /** Share of tokens that carry loss. */
      trainedShare: z.number(),
      /** Share of rows whose end is learned. */
      endLearned: z.number(),
    })
    .partial(),
  /** Some rows as they are read back from their tokens, cut where what is learned begins and ends. */
  samples: z.array(
    z.strictObject({
      kind: z.string().optional(),
      pieces: z.array(z.strictObject({ text: z.string(), learned: z.boolean(), end: z.boolean() })),
    }),
  ),
  /** Null where the job could not be sized. */
  estimate: z
    .strictObject({
      totalParameters: z.int(),
      trainableParameters: z.int(),
      steps: z.int(),
      tokens: z.int(),
      longestRow: z.int(),
      cpu: z.strictObject({ seconds: z.number(), peakBytes: z.number() }),
      devices: z.array(
        z.strictObject({
          device: z.string(),
          verdict: z.enum(['fits', 'fits with changes', 'does not fit']),
          changes: z.array(z.string()),
          neededBytes: z.number(),
          memoryBytes: z.number(),
          seconds: z.number(),
          cost: z.number(),
        }),
      ),
    })
    .nullable(),
});
export type PreflightReport = z.output<typeof PreflightReport>;

/** What a merge proves: that merged and adapted model agree. */
export const MergeSummary = z.strictObject({
  maxLogitDifference: z.number().nonnegative(),
  prompts: z.int().positive(),
  promptTemplate: z.string(),
  libraries: z.record(z.string(), z.string()),
});
export type MergeSummary = z.output<typeof MergeSummary>;

/** What a compressed form of a model is, and how far it is from the model that it was made of. */
export const CompressionSummary = z.strictObject({
  quantization: z.union([GgufQuantization, Int8Rounding]),
  /** What its weights take on disk. */
  bytes: z.int().positive(),
  /** What the weights of the model take. */
  sourceBytes: z.int().positive(),
  /** KL(model || compressed) of the next token, in nats, mean over the tokens of each prompt and then over prompts. */
  meanKl: z.number(),
  /** Share of tokens after which both hold the same token for the likeliest. */
  sameFirstChoice: z.number().min(0).max(1),
  /** Tokens read in a second on the machine that compressed; null where what serves the form is not at hand (llama.cpp). */
  tokensPerSecond: z.strictObject({ model: z.number().positive(), compressed: z.number().positive() }).nullable(),
  prompts: z.int().positive(),
  /** Samples by which inputs of layers were calibrated; 0 where weights alone were rounded. */
  calibrationRows: z.int().nonnegative(),
  /** Matrices that were not rounded. */
  unquantized: z.array(z.string()),
  promptTemplate: z.string(),
  libraries: z.record(z.string(), z.string()),
});
export type CompressionSummary = z.output<typeof CompressionSummary>;

/** A prompt that a job shall answer: an instruction, not yet rendered into the template. */
export const PromptRow = z.strictObject({ id: z.string(), instruction: z.string() });
export type PromptRow = z.output<typeof PromptRow>;

/** A generated answer to the prompt of the same id. */
export const AnswerRow = z.strictObject({ id: z.string(), answer: z.string(), tokens: z.int().nonnegative() });
export type AnswerRow = z.output<typeof AnswerRow>;
