import { readFile } from 'node:fs/promises';
import type { ArtifactReference } from '../contracts/artifact.ts';
import type { TrainingChecked } from '../contracts/command-results.ts';
import { digestOf } from '../contracts/digest.ts';
import { LoraParams, PreflightReport, type TrainSftParams } from '../contracts/jobs.ts';
import type { Problem } from '../contracts/problem.ts';
import type { Graph, GraphNode } from '../engine/graph.ts';
import { inputPath } from '../engine/inputs.ts';
import type { ResolvedParams } from '../engine/params.ts';
import { type Results, openResults } from '../engine/results.ts';
import type { JobLauncher } from '../ports/job-launcher.ts';
import type { OpenedPipeline } from './pipeline-run.ts';

/** Which input of a training job holds its rows. */
const rowsInput = { 'train-sft': 'train', 'train-dpo': 'pairs' } as const;
type Method = keyof typeof rowsInput;

/** Looks at every training step of a pipeline whose data is there already: all mistakes at once, on a CPU, before anything is paid for. */
export async function checkTraining({ session, graph, params }: OpenedPipeline): Promise<readonly TrainingChecked[]> {
  const nodes = graph.nodes.filter(({ step }) => step.kind === 'job' && step.job in rowsInput);
  if (nodes.length === 0) return [];
  const { metadata, artifacts } = await session.wired.stores();
  const results = await openResults(graph, metadata, artifacts);
  const launcher = await session.wired.ports.open('jobLauncher');
  const checks: TrainingChecked[] = [];
  for (const node of nodes) {
    const inputs = knownInputs(node, results);
    if (typeof inputs === 'string') {
      checks.push({ step: node.address, report: null, skipped: `nothing to look at before ${inputs} has run` });
      continue;
    }
    const paths: Record<string, string> = {};
    for (const [name, reference] of Object.entries(inputs)) paths[name] = await inputPath(reference, artifacts);
    checks.push(await check(launcher, node, paths, own(params, node), loraOf(graph, params)));
  }
  return checks;
}

/** The problems that a preflight found, each with its step. */
export function trainingProblems(checks: readonly TrainingChecked[]): readonly Problem[] {
  return checks.flatMap(({ step, report }) =>
    (report?.problems ?? []).map(({ reason, message, hint }): Problem =>
      Object.assign({ reason, message: `${step}: ${message}`, where: step, exit: 2 } as const, hint !== null && { hint }),
    ),
  );
}

async function check(
  launcher: JobLauncher,
  { address, step }: GraphNode,
  { base, validation, ...rest }: Readonly<Record<string, string>>,
  params: Record<string, never>,
  lora: LoraParams | null,
): Promise<TrainingChecked> {
  const job = (step as { readonly job: Method }).job;
  const inputs = { base: base!, rows: rest[rowsInput[job]]!, ...(validation !== undefined && { validation }) };
  const asked = { job, params, lora };
  const code = await launcher.identity('preflight');
  const submitted = await launcher.submit({
    id: `preflight-${digestOf({ asked, inputs, code })}`,
    job: 'preflight',
    params: asked,
    inputs,
    outputs: ['report'],
  });
  for await (const _ of launcher.follow(submitted, { afterSeq: 0, signal: new AbortController().signal }));
  const state = await launcher.state(submitted.id);
  if (state?.state !== 'ended' || state.exit.code !== 0) {
    const lines = state?.state === 'ended' ? state.lastLines.slice(-3).join(' ') : 'it vanished';
    return { step: address, report: null, skipped: `the preflight itself failed: ${lines}` };
  }
  return { step: address, report: PreflightReport.parse(JSON.parse(await readFile(state.outputs['report']!, 'utf8'))), skipped: null };
}

/** The newest outputs that the step would read; the address of a step that has to run first where one is missing. */
function knownInputs(node: GraphNode, results: Results): Readonly<Record<string, ArtifactReference>> | string {
  const inputs: Record<string, ArtifactReference> = {};
  for (const [name, wire] of Object.entries(node.inputs)) {
    const reference = results.latest(wire.step)?.artifacts[wire.output];
    if (reference === undefined) return wire.step;
    inputs[name] = reference;
  }
  return inputs;
}

function own(params: ResolvedParams, { address }: GraphNode): Record<string, never> {
  return params.get(address)!.params as Record<string, never>;
}

/** DPO trains what SFT made: an adapter of its shape, or every weight (null). */
function loraOf({ nodes }: Graph, params: ResolvedParams): LoraParams | null {
  const sft = nodes.find(({ step }) => step.kind === 'job' && step.job === 'train-sft');
  if (sft === undefined) return LoraParams.parse({});
  const { tuning, lora } = own(params, sft) as unknown as TrainSftParams;
  return tuning === 'full' ? null : lora;
}
