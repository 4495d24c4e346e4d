import { chmod, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../contracts/digest.ts';
import { CompressionSummary, ExportGgufParams, ExportInt8Params, GgufQuantization, Int8Rounding } from '../contracts/jobs.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ModelVersion } from '../contracts/registry.ts';
import { modelReference } from '../registry/models.ts';
import { ollamaFile } from '../registry/ollama-file.ts';
import { promptTemplate } from '../contracts/prompt-template.ts';
import { type CommandContext, usageProblem } from './context.ts';
import { runJob } from './run-job.ts';
import type { Wired } from './wire.ts';

/** In which form a version leaves the registry. */
const exportFormats = ['merged', 'adapter', 'gguf', 'ollama', 'int8'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** The largest mean KL that a file may have, in nats a token: what the rounding of each kind costs a sound model, with room. */
const mostKl: Readonly<Record<GgufQuantization, number>> = { f16: 0.001, q8_0: 0.01, q5_0: 0.1, q4_0: 0.3 };
const mostKlOfInt8 = { weights: 0.01, weightsAndInputs: 0.1 };

/** The form of an export, and how its numbers are rounded where they are. */
export type ExportForm = { readonly format: 'merged' | 'adapter' } | CompressedForm;

type CompressedForm =
  | { readonly format: 'gguf' | 'ollama'; readonly quantization: GgufQuantization }
  /** With `calibrationRows` above 0, what goes into each layer is rounded too. */
  | { readonly format: 'int8'; readonly quantization: Int8Rounding; readonly calibrationRows: number };

/** Flags of the commands that bring a version into a form. */
export interface FormFlags {
  readonly format: string;
  readonly quantization?: string;
  readonly calibrate?: string;
}

/** What `--format`, `--quantization` and `--calibrate` ask for; throws where one of them has a wrong value. */
export function exportForm({ format: wanted, quantization, calibrate }: FormFlags): ExportForm {
  const format = exportFormats.find((known) => known === wanted);
  if (format === undefined) throw wrongFlag('--format', exportFormats, wanted);
  if (calibrate !== undefined && format !== 'int8') throw notOf('--calibrate', format, '--format int8');
  if (format === 'merged' || format === 'adapter') {
    if (quantization !== undefined) throw notOf('--quantization', format, '--format gguf or --format int8');
    return { format };
  }
  const kinds = format === 'int8' ? Int8Rounding.options : GgufQuantization.options;
  const kind = quantization ?? (format === 'int8' ? 'absmax' : 'q8_0');
  if (!(kinds as readonly string[]).includes(kind)) throw wrongFlag('--quantization', kinds, kind);
  if (format !== 'int8') return { format, quantization: kind as GgufQuantization };
  const calibrationRows = Number(calibrate ?? '0');
  if (!Number.isSafeInteger(calibrationRows) || calibrationRows < 0) throw wrongFlag('--calibrate', ['64'], calibrate!);
  return { format, quantization: kind as Int8Rounding, calibrationRows };
}

function wrongFlag(flag: string, known: readonly string[], found: string): ProblemError {
  const expected = flag === '--calibrate' ? 'a number of samples' : known.join(', ');
  return new ProblemError(
    usageProblem('invalid-flag', `${flag} has a wrong value`, `For example: ${flag} ${known[0]}`, { expected, found }),
  );
}

function notOf(flag: string, format: ExportFormat, expected: string): ProblemError {
  const message = `${flag} does nothing for the format ${format}`;
  return new ProblemError(
    usageProblem('invalid-flag', message, `Leave ${flag} out, or choose another --format`, { expected, found: format }),
  );
}

/** What an export is made of. */
export interface ExportRequest {
  readonly model: ModelVersion;
  readonly form: ExportForm;
  /** An empty folder, or one that is not there yet. */
  readonly staged: string;
}

/** Fills a folder with a version in the form that was asked for; what was lost where numbers were rounded, or null. */
export async function stageExport(context: CommandContext, wired: Wired, request: ExportRequest): Promise<CompressionSummary | null> {
  const { model, form, staged } = request;
  const digest = form.format === 'adapter' ? model.adapter : model.weights;
  if (digest === null) throw noAdapter(model);
  const { artifacts } = await wired.stores();
  const source = await artifacts.localPath('folder', digest).catch(() => null);
  if (source === null) throw gone(model, digest);
  const compressed = 'quantization' in form ? await compress(context, wired, model, form, source) : null;
  await cp(compressed?.folder ?? source, staged, { recursive: true });
  await makeWritable(staged);
  if (form.format === 'ollama') await writeFile(join(staged, 'Modelfile'), await modelfileOf(model, source));
  return compressed?.summary ?? null;
}

/** Has a version compressed by a job, or finds what was compressed before. */
async function compress(context: CommandContext, wired: Wired, model: ModelVersion, form: CompressedForm, source: string) {
  const launcher = await wired.ports.open('jobLauncher');
  const samples = form.format === 'int8' && form.calibrationRows > 0 ? await samplesOf(wired, model) : null;
  const { job, params, output } = compression(form);
  const id = digestOf({
    job,
    params,
    weights: model.weights,
    data: samples && model.data,
    identity: await launcher.identity(job),
  });
  const inputs = { model: source, ...(samples && { samples }) };
  const outputs = await runJob(
    launcher,
    { id, job, params, inputs, outputs: [output, 'summary'] },
    {
      what: 'models export',
      signal: context.signal,
      onEvent: (event) => {
        if (event.type === 'phase') context.progress(`${modelReference(model)} as ${form.quantization}: ${event.data.name}`);
      },
    },
  );
  const summary = CompressionSummary.parse(JSON.parse(await readFile(outputs['summary']!, 'utf8')));
  return { folder: outputs[output]!, summary };
}

function compression(form: CompressedForm) {
  if (form.format !== 'int8') {
    const { quantization } = form;
    return {
      job: 'export-gguf',
      output: 'gguf',
      params: ExportGgufParams.parse({ quantization, maxMeanKl: mostKl[quantization] }),
    } as const;
  }
  const { quantization: rounding, calibrationRows } = form;
  const maxMeanKl = calibrationRows > 0 ? mostKlOfInt8.weightsAndInputs : mostKlOfInt8.weights;
  return { job: 'export-int8', output: 'int8', params: ExportInt8Params.parse({ rounding, calibrationRows, maxMeanKl }) } as const;
}

/** The file of the rows that a version learned from. */
async function samplesOf(wired: Wired, model: ModelVersion): Promise<string> {
  if (model.data === null) throw noSamples(model);
  const { artifacts } = await wired.stores();
  return artifacts.localPath('file', model.data).catch(() => {
    throw gone(model, model.data!);
  });
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

function noSamples(model: ModelVersion): ProblemError {
  return new ProblemError({
    reason: 'no-samples',
    message: `What ${modelReference(model)} learned from is not known here, so there is nothing to calibrate with`,
    hint: 'Leave --calibrate out: the weights alone are rounded then',
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
