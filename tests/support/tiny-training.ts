import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PretrainTinyParams, TrainDpoParams, TrainSftParams } from '../../src/contracts/jobs.ts';
import type { JobLauncher, JobSubmission } from '../../src/ports/job-launcher.ts';

const subjects = ['cursor', 'ledger', 'keeper', 'chunk', 'journal', 'alias', 'checkpoint', 'adapter'];

/** Makes a tiny base, and returns how to submit a tuning of it with so many steps. */
export async function tinySft(launcher: JobLauncher, folder: string): Promise<(id: string, steps: number, seed?: number) => JobSubmission> {
  await mkdir(folder, { recursive: true });
  const [documents, train, validation] = ['documents', 'train', 'validation'].map((name) => join(folder, `${name}.jsonl`));
  const rows = (count: number, row: (subject: string, number: number) => object) =>
    Array.from({ length: count }, (_, number) => `${JSON.stringify(row(subjects[number % subjects.length]!, number))}\n`).join('');
  const sample = (offset: number) => (subject: string, number: number) => ({
    id: `sample-${offset + number}`,
    document: `document-${number % 5}`,
    instruction: `What is the ${subject} of document ${offset + number}?`,
    answer: `The ${subject} of document ${offset + number} is kept in order.`,
    sources: [{ document: `document-${number % 5}`, revision: '0'.repeat(64) }],
  });
  const text = (subject: string, number: number) => `The ${subject} of document ${number} is kept in order. A ${subject} is never lost.\n`;
  await writeFile(
    documents!,
    rows(48, (subject, number) => ({ id: String(number), text: text(subject, number).repeat(3) })),
  );
  await writeFile(train!, rows(24, sample(0)));
  await writeFile(validation!, rows(2, sample(100)));

  const params = { vocabularySize: 400, hiddenSize: 32, layers: 2, heads: 2, contextLength: 256, maxSteps: 4, batchSize: 4 };
  const submission = { id: 'base', job: 'pretrain-tiny', params: PretrainTinyParams.parse(params), inputs: { documents: documents! } };
  const job = await launcher.submit({ ...submission, outputs: ['model', 'summary'] });
  for await (const _ of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(180_000) }));
  const state = await launcher.state('base');
  if (state?.state !== 'ended' || state.exit.code !== 0) throw new Error(`The base was not made: ${JSON.stringify(state)}`);
  const inputs = { base: state.outputs['model']!, train: train!, validation: validation! };
  return (id, steps, seed = 7) => {
    const lora = { rank: 4, alpha: 8, dropout: 0.05, targets: ['q_proj', 'v_proj'] };
    const sft = TrainSftParams.parse({ maxSteps: steps, batchSize: 4, maxLength: 192, saveEvery: 5, lora, seed });
    return { id, job: 'train-sft', params: sft, inputs, outputs: ['adapter', 'summary'] };
  };
}

/** How to prefer answers over noise, from the adapter of a tuning that `tinySft` made; likewise. */
export async function tinyDpo(folder: string, sft: JobSubmission, adapter: string): Promise<(id: string, steps: number) => JobSubmission> {
  const pairs = join(folder, 'pairs.jsonl');
  const pair = (subject: string, number: number) => ({
    id: `pair-${number}`,
    prompt: `What is the ${subject} of document ${number}?`,
    chosen: `The ${subject} of document ${number} is kept in order.`,
    rejected: `no no no ${number}`,
  });
  await writeFile(pairs, subjects.map((subject, number) => `${JSON.stringify(pair(subject, number))}\n`).join(''));
  return (id, steps) => {
    const params = TrainDpoParams.parse({ maxSteps: steps, batchSize: 2, maxLength: 192, saveEvery: 3, learningRate: 0.001 });
    return { id, job: 'train-dpo', params, inputs: { base: sft.inputs['base']!, adapter, pairs }, outputs: ['adapter', 'summary'] };
  };
}
