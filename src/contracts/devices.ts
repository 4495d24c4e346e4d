import { z } from 'zod';

/** A GPU of this machine, or a MIG slice of one, and who has it. */
export const DeviceLine = z.strictObject({
  uuid: z.string(),
  name: z.string(),
  totalBytes: z.int().nonnegative(),
  freeBytes: z.int().nonnegative(),
  /** Percent of the last sample; null where the driver does not tell. */
  utilization: z.number().nullable(),
  /** The job that has it, the process that holds the lease, and since when, in seconds since 1970. */
  lease: z.strictObject({ job: z.string(), pid: z.int(), since: z.number() }).nullable(),
  /** Why no job gets it, which job found that, and when. */
  fault: z.strictObject({ why: z.string(), job: z.string(), at: z.number() }).nullable(),
  /** Processes that compute on it. */
  processes: z.array(z.int()).readonly(),
});
export type DeviceLine = z.output<typeof DeviceLine>;

/** What the workers answer when they are asked for the devices of their machine. */
export const DeviceList = z.strictObject({ devices: z.array(DeviceLine).readonly(), released: z.boolean() });
export type DeviceList = z.output<typeof DeviceList>;
