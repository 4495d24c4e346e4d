import { z } from 'zod';
import { jobs } from '../src/contracts/jobs.ts';
import { JobCommand, JobEvent, JobRequest, ServiceReply, ServiceRequest } from '../src/contracts/worker-protocol.ts';

/** Where the Python workers read the contracts. */
export const workerSchemasPath = 'python-workers/twin_workers/schemas.json';

/** The text of that file: the protocol and the params of every job as JSON Schema. */
export function workerSchemas(): string {
  const jobSchemas = Object.entries(jobs).map(([name, { params, inputs, outputs }]) => [
    name,
    { params: schemaOf(params), inputs, outputs },
  ]);
  const schemas = {
    request: schemaOf(JobRequest),
    event: schemaOf(JobEvent),
    command: schemaOf(JobCommand),
    serviceRequest: schemaOf(ServiceRequest),
    serviceReply: schemaOf(ServiceReply),
    jobs: Object.fromEntries(jobSchemas),
  };
  return `${JSON.stringify(schemas, null, 2)}\n`;
}

function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}
