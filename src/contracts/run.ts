import { z } from 'zod';
import { ArtifactReference } from './artifact.ts';
import { Digest } from './document.ts';
import { SweepPlace } from './sweep.ts';

/** How a step of a run ended. */
export const StepOutcome = z.enum(['succeeded', 'cached', 'failed', 'skipped', 'cancelled']);
export type StepOutcome = z.output<typeof StepOutcome>;

/** Why a step failed, was skipped or was cancelled, where the outcome alone does not say it. */
export const StepReason = z.enum([
  'timed-out',
  'lost',
  'upstream-failed',
  'cancelled-by-user',
  'condition',
  'slice',
  'gate-refused',
  'no-champion',
  'error',
]);
export type StepReason = z.output<typeof StepReason>;

/**
 * Whose failure it was. `user`: the step's code, its params or its input, and repeating helps nobody. `infrastructure`: a connection,
 * a busy server, a lost process. `preempted`: the machine was wanted elsewhere. `out-of-memory`: it may fit in smaller pieces.
 * `timed-out`: a limit of the step itself.
 */
export const FailureClass = z.enum(['user', 'infrastructure', 'preempted', 'out-of-memory', 'timed-out']);
export type FailureClass = z.output<typeof FailureClass>;

/** What a check said of an output, now or when it last saw the same. */
export const CheckResult = z.strictObject({
  name: z.string(),
  output: z.string(),
  level: z.enum(['blocking', 'warning']),
  ok: z.boolean(),
  expected: z.string().nullable(),
  found: z.string().nullable(),
  cached: z.boolean(),
});
export type CheckResult = z.output<typeof CheckResult>;

/** How a run ended. */
export const RunStatus = z.enum(['succeeded', 'failed', 'cancelled', 'refused']);
export type RunStatus = z.output<typeof RunStatus>;

/** How many steps ended how: the five always sum to the plan. */
export const StepCounts = z.strictObject({
  succeeded: z.int().nonnegative(),
  cached: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  skipped: z.int().nonnegative(),
  cancelled: z.int().nonnegative(),
});
export type StepCounts = z.output<typeof StepCounts>;

/** A problem as it is stored and printed; see contracts/problem.ts. */
export const ProblemRecord = z.strictObject({
  reason: z.string(),
  message: z.string(),
  where: z.string().optional(),
  expected: z.string().optional(),
  found: z.string().optional(),
  hint: z.string().optional(),
  stack: z.string().optional(),
  exit: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
});

/** Whose process this is: dead for sure only when host, boot and namespace match ours and the process is gone. */
export const Holder = z.strictObject({
  host: z.string(),
  bootId: z.string(),
  pidNamespace: z.string(),
  pid: z.int().positive(),
  /** Start time of the process, in the unit of the platform. */
  start: z.string(),
  command: z.string(),
});
export type Holder = z.output<typeof Holder>;

/** Everything that a step's result depends on, kept in parts so that a difference can be explained. */
export const FingerprintParts = z.strictObject({
  contract: z.int(),
  step: z.string(),
  version: z.int(),
  /** Hash of the bundle of the step's module. */
  code: z.string(),
  params: z.json(),
  inputs: z.record(z.string(), z.string()),
  /** Identities of the ports that change results. */
  ports: z.record(z.string(), z.string()),
  files: z.record(z.string(), z.string()),
  environment: z.record(z.string(), z.string().nullable()),
  /** Keys of driven map steps, and of the Python job: whatever else is part of the step's code. */
  extra: z.record(z.string(), z.string()),
  /** The token of outside state that a reading step observed. */
  observed: z.string().nullable(),
});
export type FingerprintParts = z.output<typeof FingerprintParts>;

/** What a step made, under its key. */
export const StepResult = z.strictObject({
  key: Digest,
  step: z.string(),
  address: z.string(),
  run: z.string(),
  parts: FingerprintParts,
  artifacts: z.record(z.string(), ArtifactReference),
  /** Named counters, and drops as `dropped: <reason>`. */
  counts: z.record(z.string(), z.number()),
  durationMs: z.number(),
  at: z.number(),
  /** Kept for lineage alone: its content has been freed, or will be. */
  collected: z.literal(true).optional(),
});
export type StepResult = z.output<typeof StepResult>;

/** A step as the run's graph holds it. */
export const PlannedStep = z.strictObject({
  address: z.string(),
  step: z.string(),
  kind: z.enum(['step', 'effect', 'map', 'job']),
  summary: z.string(),
  /** `<address>.<output>` by input name; `after` edges under `after:<n>`. */
  inputs: z.record(z.string(), z.string()),
  place: z.string(),
});
export type PlannedStep = z.output<typeof PlannedStep>;

/** How a run was set up: what was asked for, and what each step had before any of them began. */
export const RunSetup = z.strictObject({
  /** `<address>=<value>`, as given by --set. */
  set: z.array(z.string()).readonly(),
  strict: z.boolean(),
  keepGoing: z.boolean(),
  gate: z.enum(['default', 'strict']),
  from: z.string().nullable(),
  to: z.string().nullable(),
  only: z.array(z.string()).readonly(),
  tags: z.array(z.string()).readonly(),
  force: z.array(z.string()).readonly(),
  /** The step at which the run forks its origin; absent where it does not. */
  forkedAt: z.string().optional(),
  /** The variant of a sweep that the run is; absent where it is none. */
  sweep: SweepPlace.optional(),
  /** Version and code hash by the name of the step. */
  code: z.record(z.string(), z.strictObject({ version: z.int(), code: z.string() })),
  /** Names of the map steps that a step drives, by its address, of steps that drive any. Their params stand at `<address>.<name>`. */
  driven: z.record(z.string(), z.array(z.string())).optional(),
  /** Params by address, defaults filled in, of steps that have any. */
  params: z.record(z.string(), z.json()),
  /** Where params were given that are not defaults, by `<step>.<param>`. */
  origins: z.record(z.string(), z.string()).readonly(),
  /** Hashes of declared files and values of declared variables by address. */
  files: z.record(z.string(), z.record(z.string(), z.string()).readonly()),
  environment: z.record(z.string(), z.record(z.string(), z.string().nullable()).readonly()),
});
export type RunSetup = z.output<typeof RunSetup>;

/** What decided that a step ran, beside its key. */
export const RunCause = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('forced') }),
  z.strictObject({ kind: z.literal('artifact-missing'), output: z.string() }),
  /** An effect's target was found in another state than the effect had left behind. */
  z.strictObject({ kind: z.literal('state-changed'), before: z.string(), after: z.string() }),
  /** An earlier effect began in this run and was never committed. */
  z.strictObject({ kind: z.literal('interrupted'), run: z.string() }),
]);
export type RunCause = z.output<typeof RunCause>;

/** One record of the stream `run/<id>`: the truth about a run. */
export const RunRecord = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('run-started'),
    run: z.string(),
    pipeline: z.string(),
    /** Milliseconds by the store's clock, as in every record. */
    at: z.number(),
    holder: Holder,
    profile: z.string(),
    steps: z.array(PlannedStep),
    /** The run that this one continues (`runs resume`) or forks (`runs fork`). */
    origin: z.string().nullable(),
    /** Absent in the journals of earlier versions. */
    setup: RunSetup.optional(),
  }),
  z.strictObject({
    type: z.literal('step-started'),
    step: z.string(),
    attempt: z.int().positive(),
    key: z.string().nullable(),
    /** Where the key alone does not say why the step ran. */
    cause: RunCause.optional(),
  }),
  /** All is ready, and there is no room yet: in the run, in a named pool, or at the target of an effect, which `pool` then names. Not written where there was room at once. */
  z.strictObject({ type: z.literal('step-queued'), step: z.string(), key: z.string(), pool: z.string().nullable() }),
  /** An attempt that is followed by another. */
  z.strictObject({
    type: z.literal('attempt-failed'),
    step: z.string(),
    attempt: z.int().positive(),
    failure: FailureClass,
    problem: ProblemRecord,
    delayMs: z.number(),
  }),
  z.strictObject({
    type: z.literal('step-finished'),
    step: z.string(),
    outcome: StepOutcome,
    reason: StepReason.nullable(),
    key: z.string().nullable(),
    artifacts: z.record(z.string(), ArtifactReference),
    counts: z.record(z.string(), z.number()),
    /** What the result depends on, where the step failed, succeeded or is the first to journal an earlier result: the index of results is rebuilt from it. */
    parts: FingerprintParts.nullable(),
    at: z.number(),
    durationMs: z.number(),
    problem: ProblemRecord.nullable(),
    checks: z.array(CheckResult).readonly().optional(),
  }),
  z.strictObject({
    type: z.literal('run-finished'),
    status: RunStatus,
    /** `gap-detected`, `interrupted`, or the reasons of a refusing gate. */
    reason: z.string().nullable(),
    steps: StepCounts,
    durationMs: z.number(),
  }),
]);
export type RunRecord = z.output<typeof RunRecord>;

/** One row of the index of runs, derived from the streams. */
export const RunSummary = z.strictObject({
  run: z.string(),
  pipeline: z.string(),
  status: z.union([RunStatus, z.literal('running')]),
  reason: z.string().nullable(),
  startedAt: z.number(),
  durationMs: z.number().nullable(),
  steps: StepCounts.nullable(),
  holder: Holder,
});
export type RunSummary = z.output<typeof RunSummary>;
