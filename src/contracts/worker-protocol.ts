import { z } from 'zod';
import { Deadlines } from './deadlines.ts';

/** Raised when an older worker or keeper could no longer follow. */
export const protocolVersion = 1;

/** How a Python job ended. 0, the range of its own that a worker may exit with, and what each means for a retry. */
export const exitCodes = {
  0: { reason: 'done', retry: 'none' },
  10: { reason: 'configuration', retry: 'never' },
  11: { reason: 'data', retry: 'never' },
  12: { reason: 'model', retry: 'never' },
  20: { reason: 'preempted', retry: 'resume' },
  21: { reason: 'cancelled', retry: 'never' },
  30: { reason: 'out-of-memory', retry: 'smaller' },
  31: { reason: 'divergence', retry: 'never' },
  32: { reason: 'transient', retry: 'backoff' },
  33: { reason: 'hang', retry: 'backoff' },
  40: { reason: 'device-fault', retry: 'elsewhere' },
  70: { reason: 'bug', retry: 'never' },
} as const;

/** `request.json` in an attempt's folder: all that a job needs to know; paths are absolute. */
export const JobRequest = z.strictObject({
  v: z.literal(protocolVersion),
  /** The job's id: the key of the step that asked for it. */
  id: z.string(),
  attempt: z.int().positive(),
  job: z.string(),
  params: z.record(z.string(), z.json()),
  inputs: z.record(z.string(), z.string()),
  outputs: z.record(z.string(), z.string()),
  /** Checkpoints of all attempts of this job. */
  checkpoints: z.string(),
  promptTemplate: z.strictObject({ text: z.string(), digest: z.string() }),
  /** Seconds without a renewed `lease.json` after which the keeper stops the worker; null for never. */
  leaseSeconds: z.number().positive().nullable(),
  /** Null for the keeper's own. */
  deadlines: Deadlines.nullable().default(null),
  /** What differs from the attempt before, in words: an attempt that ran out of memory is followed by a smaller one. */
  adaptations: z.array(z.string()).default([]),
  /** GPUs that it is given where the machine has any; 0 keeps it on the CPU. */
  gpus: z.int().nonnegative().default(1),
});
export type JobRequest = z.output<typeof JobRequest>;

/** Identifies a process beyond the reuse of its pid. */
export const ProcessIdentity = z.strictObject({
  pid: z.int().positive(),
  /** Clock ticks after boot at which it started (field 22 of /proc/<pid>/stat), or what the platform has instead. */
  start: z.string(),
  bootId: z.string(),
});
export type ProcessIdentity = z.output<typeof ProcessIdentity>;

/** `keeper.json`, created exclusively: whose attempt this is. */
export const KeeperRecord = z.strictObject({ ...ProcessIdentity.shape, nonce: z.string(), worker: z.int().positive().nullable() });
export type KeeperRecord = z.output<typeof KeeperRecord>;

/** `exit.json`, renamed into place by the keeper. */
export const ExitRecord = z.strictObject({
  code: z.int().nullable(),
  signal: z.string().nullable(),
  wall: z.string(),
  /** Why the keeper ended the worker; null where it ended by itself. */
  verdict: z.string().nullable().default(null),
  /** What worker and children took together; the peak is that of the largest. */
  usage: z.strictObject({ seconds: z.number(), cpuSeconds: z.number(), peakResidentBytes: z.number() }).nullable().default(null),
});
export type ExitRecord = z.output<typeof ExitRecord>;

const envelope = {
  v: z.literal(protocolVersion),
  job: z.string(),
  attempt: z.int().positive(),
  /** Counts from 1 in an attempt; makes reading twice harmless. */
  seq: z.int().positive(),
  /** Monotonic seconds of the worker. */
  t: z.number(),
  wall: z.string(),
};

/** Non-finite values travel as these words. */
export const MetricValue = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);

const event = <Type extends string, Shape extends z.ZodRawShape>(type: Type, data: Shape) =>
  z.strictObject({ ...envelope, type: z.literal(type), data: z.strictObject(data) });

/** One line of `events.jsonl`. */
export const JobEvent = z.discriminatedUnion('type', [
  event('hello', { pid: z.int(), device: z.string(), libraries: z.record(z.string(), z.string()) }),
  /** wait, load, tokenize, train, checkpoint, evaluate, save, generate, score, merge, canary, estimate */
  event('phase', { name: z.string() }),
  /** Work done so far in the current phase, and all of it where that is known. */
  event('progress', { done: z.number(), total: z.number().nullable(), unit: z.string() }),
  /** Points of several metrics: [step, value] each. */
  event('metric', { points: z.record(z.string(), z.array(z.tuple([z.number(), MetricValue]))) }),
  /** What two steps on the longest batch have shown: at most so long a step, and the most memory. */
  event('estimate', { secondsPerStep: z.number(), steps: z.int(), peakBytes: z.number() }),
  /** The GPUs that the attempt has leased, what it was thought to need of each, and how long it waited for them. */
  event('devices', {
    devices: z.array(z.strictObject({ uuid: z.string(), name: z.string() })),
    neededBytes: z.int(),
    waitedSeconds: z.number(),
  }),
  event('checkpoint', { step: z.int(), path: z.string(), seconds: z.number() }),
  event('warn', { reason: z.string(), message: z.string() }),
  event('heartbeat', { residentBytes: z.int() }),
  event('result', { outputs: z.array(z.string()) }),
  event('error', {
    reason: z.string(),
    message: z.string(),
    where: z.string().nullable(),
    stack: z.string().nullable(),
    hint: z.string().nullable(),
  }),
]);
export type JobEvent = z.output<typeof JobEvent>;

/** One line of `commands.jsonl`. `stop`: checkpoint, then exit 20; `cancel`: exit 21. */
export const JobCommand = z.strictObject({ seq: z.int().positive(), command: z.enum(['stop', 'cancel', 'save-now']) });
export type JobCommand = z.output<typeof JobCommand>;

/** A request to a service, one line on its standard input. */
export const ServiceRequest = z.strictObject({ id: z.int().positive(), method: z.string(), data: z.record(z.string(), z.json()) });
export type ServiceRequest = z.output<typeof ServiceRequest>;

/** A line from a service on file descriptor 3: its hello, a piece of an answer, an answer, or a failure. */
export const ServiceReply = z.union([
  z.strictObject({
    hello: z.strictObject({ v: z.literal(protocolVersion), service: z.string(), pid: z.int(), data: z.record(z.string(), z.json()) }),
  }),
  z.strictObject({ id: z.int().positive(), piece: z.record(z.string(), z.json()) }),
  z.strictObject({ id: z.int().positive(), data: z.record(z.string(), z.json()) }),
  z.strictObject({ id: z.int().positive(), error: z.strictObject({ reason: z.string(), message: z.string() }) }),
]);
export type ServiceReply = z.output<typeof ServiceReply>;
