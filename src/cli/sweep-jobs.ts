import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Curve } from '../contracts/curve.ts';
import type { RunView, StepView } from '../contracts/run-view.ts';
import type { SweepFinished, SweepJob } from '../contracts/sweep.ts';
import { ingestJob, metricsFolder } from '../curves/ingest-job.ts';
import { readCurve } from '../curves/read-curve.ts';
import type { Graph } from '../engine/graph.ts';
import { sweepPage } from '../report/html/sweep-page.ts';
import type { StateFolder } from './state-folder.ts';
import { comparedStep, isSwept, jobOf } from './sweep-members.ts';

/** Buckets of a curve on the page of a sweep. */
const bucketsShown = 240;

/** The steps that every variant does: those with a swept param, and all that wait for one of them. */
export function eachVariant(graph: Graph, addresses: readonly string[]): ReadonlySet<string> {
  const each = new Set<string>();
  for (const node of graph.nodes) {
    if (isSwept(node.address, addresses) || node.dependencies.some((dependency) => each.has(dependency))) each.add(node.address);
  }
  return each;
}

/** The job by which a variant is compared with the others; null where its run came to none. */
export async function variantJob(jobs: string, graph: Graph, addresses: readonly string[], view: RunView): Promise<SweepJob | null> {
  const each = eachVariant(graph, addresses);
  const compared = comparedStep(graph.nodes, addresses, (address) => each.has(address));
  const step = view.steps.find(({ address }) => address === compared);
  const job = step ? jobOf(jobs, view.run, step) : null;
  if (!step || job === null) return null;
  const { readJob } = await import('../workers/job-view.ts');
  const line = { type: 'job', id: job, job: '', state: 'ended', attempt: step.attempts, pid: null, exit: null, folder: null } as const;
  const { seconds, metrics } = await readJob(join(jobs, job), line, null, null);
  const last = Object.fromEntries(metrics.map(({ name, last: value }) => [name, value]));
  return { step: step.address, job, seconds, metrics: { ...last, ...summaryNumbers(step) } };
}

/** Writes the page that compares the variants of a sweep; null where that did not work. */
export async function compareVariants(
  state: StateFolder,
  finished: SweepFinished,
  progress: (line: string) => void,
): Promise<string | null> {
  const path = join(state.reports, `${finished.sweep}.html`);
  try {
    const curves = new Map<number, Curve>();
    for (const { variant, job } of finished.variants) {
      if (job === null) continue;
      const folder = join(state.jobs, job.job);
      ingestJob(folder);
      const curve = readCurve(metricsFolder(folder), 'loss', bucketsShown);
      if (curve !== null) curves.set(variant, curve);
    }
    await mkdir(state.reports, { recursive: true });
    await writeFile(`${path}.new`, sweepPage({ ...finished, curves, at: Date.now() }));
    await rename(`${path}.new`, path);
    return path;
  } catch (error) {
    progress(`The report of ${finished.sweep} could not be written: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/** The numbers that stand in the small results of a step: `validationLoss`, say. */
function summaryNumbers({ artifacts }: StepView): Readonly<Record<string, number>> {
  const values = Object.values(artifacts).flatMap((artifact) => (artifact.kind === 'json' ? Object.entries(artifact.inline ?? {}) : []));
  return Object.fromEntries(values.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
