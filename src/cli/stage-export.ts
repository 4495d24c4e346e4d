import { chmod, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../contracts/digest.ts';
import { ExportGgufParams, GgufQuantization, GgufSummary } from '../contracts/jobs.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ModelVersion } from '../contracts/registry.ts';
import { modelReference } from '../registry/models.ts';
import { ollamaFile } from '../registry/ollama-file.ts';
import { promptTemplate } from '../contracts/prompt-template.ts';
import { type CommandContext, usageProblem } from './context.ts';
import { runJob } from './run-job.ts';
import type { Wired } from './wire.ts';

/** In which form a version leaves the registry. */
const exportFormats = ['merged', 'adapter', 'gguf', 'ollama'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** The largest mean KL that a file may have, in nats a token: what the rounding of each kind costs a sound model, with room. */
const mostKl: Readonly<Record<GgufQuantization, number>> = { f16: 0.001, q8_0: 0.01, q5_0: 0.1, q4_0: 0.3 };

/** What the flags `--format` and `--quantization` ask for; throws where one of them has a wrong value. */
export function exportForm(flags: {
  readonly format: string;
  readonly quantization: string;
}): Pick<ExportRequest, 'format' | 'quantization'> {
  const format = exportFormats.find((known) => known === flags.format);
  if (format === undefined) throw wrongFlag('--format', exportFormats, flags.format);
  const quantization = GgufQuantization.options.find((known) => known === flags.quantization);
  if (quantization === undefined) throw wrongFlag('--quantization', GgufQuantization.options, flags.quantization);
  return { format, quantization };
}

function wrongFlag(flag: string, known: readonly string[], found: string): ProblemError {
  return new ProblemError(
    usageProblem('invalid-flag', `${flag} has a wrong value`, `For example: ${flag} ${known[0]}`, { expected: known.join(', '), found }),
  );
}

/** What an export is made of. */
export interface ExportRequest {
  readonly model: ModelVersion;
  readonly format: ExportFormat;
  readonly quantization: GgufQuantization;
  /** An empty folder, or one that is not there yet. */
  readonly staged: string;
}

/** Fills a folder with a version in the form that was asked for; what a GGUF file lost, or null. */
export async function stageExport(context: CommandContext, wired: Wired, request: ExportRequest): Promise<GgufSummary | null> {
  const { model, format, quantization, staged } = request;
  const digest = format === 'adapter' ? model.adapter : model.weights;
  if (digest === null) throw noAdapter(model);
  const { artifacts } = await wired.stores();
  const source = await artifacts.localPath('folder', digest).catch(() => null);
  if (source === null) throw gone(model, digest);
  if (format === 'merged' || format === 'adapter') {
    await cp(source, staged, { recursive: true });
    await makeWritable(staged);
    return null;
  }

  const launcher = await wired.ports.open('jobLauncher');
  const params = ExportGgufParams.parse({ quantization, maxMeanKl: mostKl[quantization] });
  const id = digestOf({ job: 'export-gguf', params, weights: digest, identity: await launcher.identity('export-gguf') });
  const outputs = await runJob(
    launcher,
    { id, job: 'export-gguf', params, inputs: { model: source }, outputs: ['gguf', 'summary'] },
    {
      what: 'models export',
      signal: context.signal,
      onEvent: (event) => {
        if (event.type === 'phase') context.progress(`${modelReference(model)} as ${quantization}: ${event.data.name}`);
      },
    },
  );
  await cp(outputs['gguf']!, staged, { recursive: true });
  await makeWritable(staged);
  if (format === 'ollama') await writeFile(join(staged, 'Modelfile'), await modelfileOf(model, source));
  return GgufSummary.parse(JSON.parse(await readFile(outputs['summary']!, 'utf8')));
}

async function modelfileOf(model: ModelVersion, source: string): Promise<string> {
  const read = async (file: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(join(source, file), 'utf8').catch(() => '{}')) as Record<string, unknown>;
  const { eos_token: end } = await read('tokenizer_config.json');
  const { max_position_embeddings: context } = await read('config.json');
  return ollamaFile({
    reference: modelReference(model),
    weights: 'model.gguf',
    template: promptTemplate,
    endToken: typeof end === 'string' ? end : null,
    contextLength: typeof context === 'number' ? context : null,
  });
}

/** Stored files are read-only; a copy belongs to whoever asked for it. */
async function makeWritable(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  await chmod(folder, 0o755);
}

function noAdapter(model: ModelVersion): ProblemError {
  return new ProblemError({
    reason: 'no-adapter',
    message: `${modelReference(model)} is whole weights and has no adapter`,
    hint: 'Export it with: --format merged',
    exit: 2,
  });
}

function gone(model: ModelVersion, digest: string): ProblemError {
  return new ProblemError({
    reason: 'artifact-gone',
    message: `The files of ${modelReference(model)} are gone from the artifact store`,
    found: digest,
    hint: 'Train it anew with: twin run training-pipeline',
    exit: 1,
  });
}
