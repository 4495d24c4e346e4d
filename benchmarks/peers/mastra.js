// Prints milliseconds of one step of a chain, or of one row of a foreach, in memory and without any storage.
import { createStep, createWorkflow } from '@mastra/core/workflows';
import { z } from 'zod';

const [what, text, bytes = '100'] = process.argv.slice(2);
const count = Number(text);
const Row = z.object({ n: z.number(), text: z.string() });
const step = (id) =>
  createStep({ id, inputSchema: Row, outputSchema: Row, execute: async ({ inputData }) => ({ n: inputData.n + 1, text: inputData.text }) });
const payload = 'x'.repeat(Number(bytes));
let workflow;
let inputData;
if (what === 'chain') {
  workflow = createWorkflow({ id: 'chain', inputSchema: Row, outputSchema: Row });
  for (let at = 0; at < count; at += 1) workflow = workflow.then(step(`step-${at}`));
  inputData = { n: 0, text: '' };
} else {
  workflow = createWorkflow({ id: 'rows', inputSchema: z.array(Row), outputSchema: z.array(Row) }).foreach(step('row'), { concurrency: 2 });
  inputData = Array.from({ length: count }, (_, n) => ({ n, text: payload }));
}
workflow.commit();
const start = performance.now();
const run = await workflow.createRun();
const result = await run.start({ inputData });
if (result.status !== 'success') throw new Error(JSON.stringify(result).slice(0, 500));
console.log((performance.now() - start) / count);
process.exit(0);
