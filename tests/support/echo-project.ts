/** A pipeline whose job step repeats rows, as long and as badly as its params say; its first step reads nothing. */
export const echoProject: Readonly<Record<string, string>> = {
  'pipelines/index.ts': `export const pipelines = { 'echo-pipeline': async () => (await import('./echo-pipeline.ts')).echoPipeline };\n`,
  'pipelines/echo-pipeline.ts': `
import { definePipeline } from '<twin>/src/engine/define.ts';
import { countRows, readRows, repeatRows } from '../steps/echo.ts';

export const echoPipeline = definePipeline({
  name: 'echo-pipeline',
  summary: 'Repeat rows by a job',
  build(pipeline) {
    const { rows } = pipeline.step(readRows, {});
    const repeated = pipeline.step(repeatRows, { rows });
    return pipeline.step(countRows, { rows: repeated.rows });
  },
});
`,
  'steps/echo.ts': `
import { z } from 'zod';
import { json, rows } from '<twin>/src/contracts/artifact.ts';
import { EchoParams } from '<twin>/src/contracts/jobs.ts';
import { defineJobStep, defineStep } from '<twin>/src/engine/define.ts';

const Row = z.strictObject({ text: z.string() });

export const readRows = defineStep({
  name: 'read-rows', version: 1, summary: 'Read rows', params: z.strictObject({}), inputs: {}, outputs: { rows: rows('rows', Row) },
  run: ({ outputs }) => outputs.rows.write({ text: 'one' }),
});
export const repeatRows = defineJobStep({
  name: 'repeat-rows', version: 1, summary: 'Repeat rows', job: 'echo', params: EchoParams,
  inputs: { rows: rows('rows', Row) }, outputs: { rows: rows('repeated', Row) },
});
export const countRows = defineStep({
  name: 'count-rows', version: 1, summary: 'Count rows', params: z.strictObject({}),
  inputs: { rows: rows('repeated', Row) }, outputs: { count: json('count', z.int()) },
  run: ({ inputs, outputs }) => outputs.count.write(inputs.rows.count),
});
`,
};
