import type { Problem } from '../contracts/problem.ts';
import { nearName } from '../contracts/near-name.ts';
import { buildGraph } from '../engine/graph.ts';
import { newestRuns, readRun } from '../history/runs.ts';
import { type CommandContext, usageProblem } from './context.ts';
import { pipelineIndex } from './project.ts';
import { openSession } from './session.ts';

/** Runs that are looked through for the step. */
const runsAtMost = 20;

/** The pipeline that somebody who names a step alone means: that of the newest run which holds it, else the only one that does. */
export async function pipelineOf(context: CommandContext, step: string): Promise<string | Problem> {
  const holds = (address: string): boolean => address === step || address.endsWith(`.${step}`);
  const pipelines = await pipelineIndex(context.project);
  const session = await openSession(context, { writes: 'nothing', pipelines });
  if (!session.ok) return session.error[0]!;
  const journal = await session.value.wired.journal();
  let looked = 0;
  for await (const { run, pipeline } of newestRuns(journal)) {
    if (++looked > runsAtMost) break;
    if (!Object.hasOwn(pipelines, pipeline)) continue;
    const [started] = await readRun(journal, run);
    if (started?.type === 'run-started' && started.steps.some(({ address }) => holds(address))) return pipeline;
  }
  const exact: string[] = [];
  const addresses: string[] = [];
  for (const [name, load] of Object.entries(pipelines)) {
    const graph = buildGraph(await load());
    if (!graph.ok) continue;
    addresses.push(...graph.value.byAddress.keys());
    if (graph.value.byAddress.has(step)) exact.push(name);
  }
  if (exact.length === 1) return exact[0]!;
  if (exact.length > 1) {
    const hint = `Say which: twin why ${step} --pipeline ${exact[0]}`;
    return usageProblem('ambiguous-step', `${exact.length} pipelines have a step ${step}`, hint, { found: exact.join(', ') });
  }
  const near = nearName(step, addresses);
  return usageProblem(
    'unknown-step',
    `No pipeline has a step ${step}`,
    near ? `Did you mean ${near}?` : 'twin plan <pipeline> lists steps',
  );
}
