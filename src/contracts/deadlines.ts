import { z } from 'zod';

/** How long a worker may say nothing, and get no further, before it counts as hung; the keeper's own table holds for phases that are not named. */
export const Deadlines = z.strictObject({
  heartbeatSeconds: z.number().positive().default(60).describe('Seconds without a heartbeat.'),
  phaseSeconds: z
    .record(z.string(), z.number().positive())
    .default({})
    .describe('Seconds without progress by phase: load, tokenize, train, checkpoint, evaluate, save, generate, score, merge.'),
  stepFactor: z.number().positive().default(10).describe('Once steps are known: so many times the median step.'),
  stepMinimumSeconds: z.number().positive().default(120).describe('But never fewer seconds than this.'),
  graceSeconds: z.number().positive().default(30).describe('Seconds between SIGTERM and SIGKILL for a worker that hangs.'),
});
export type Deadlines = z.output<typeof Deadlines>;
