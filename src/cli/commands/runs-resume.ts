import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { Problem } from '../../contracts/problem.ts';
import { codeHasher } from '../../engine/code-hash.ts';
import { prepareNodes } from '../../engine/fingerprint.ts';
import { plannedStep } from '../../engine/graph.ts';
import { setupOf } from '../../engine/setup.ts';
import { explainChanges } from '../../history/explain.ts';
import { resultsOfRun } from '../../history/results-of-run.ts';
import { setupChanges } from '../../history/setup-changes.ts';
import type { ExplainedChange } from '../../contracts/why.ts';
import { isDeadForSure } from '../../workers/holder.ts';
import { type CommandContext, refused, usageProblem } from '../context.ts';
import { findPastRun, type PastRun } from '../past-run.ts';
import { openPipeline, type OpenedPipeline } from '../pipeline-run.ts';
import { runPipeline } from '../run-pipeline.ts';

/** Options of `twin runs resume`. */
export interface ResumeFlags {
  readonly allowChanges?: true;
  /** False for --no-wait. */
  readonly wait?: boolean;
}

/** Steps whose changes a refusal names; the rest is counted. */
const stepsNamed = 12;

/** `twin runs resume [run]`: a new run that goes on where another one stopped, with its params, its slice and what it saw of the outside. */
export async function resumeRun(context: CommandContext, flags: ResumeFlags, id = 'latest'): Promise<CommandOutcome> {
  const found = await findPastRun(context, id);
  if (!found.ok) return refused(found.error);
  const past = found.value;
  const obstacle = obstacleTo(past);
  if (obstacle) return refused([obstacle]);
  const opened = await openPipeline(context, past.pipeline, { set: past.setup.set });
  if (!opened.ok) return refused(opened.error);
  if (flags.allowChanges !== true) {
    const changed = await changesSince(past, opened.value);
    if (changed) return refused([changed]);
  }
  const { metadata } = await opened.value.session.wired.stores();
  const { from, to, only, tags, force, keepGoing, strict, gate } = past.setup;
  const results = await resultsOfRun(metadata, past);
  return await runPipeline(context, opened.value, {
    ...(from !== null && { from }),
    ...(to !== null && { to }),
    only,
    tags,
    // What was forced and has ended is not done once more.
    force: force.filter((name) => !results.has(name)),
    keepGoing,
    strict,
    gate,
    noWait: flags.wait === false,
    base: { run: past.run, results, resume: true },
    ...(past.setup.forkedAt !== undefined && { forkedAt: past.setup.forkedAt }),
  });
}

function obstacleTo({ run, status, holder, pipeline }: PastRun): Problem | null {
  if (status === 'succeeded') {
    return usageProblem('nothing-to-resume', `Run ${run} succeeded: nothing of it is left to do`, `To run it again: twin run ${pipeline}`);
  }
  if (status !== 'running' || isDeadForSure(holder)) return null;
  const found = `${holder.command} (process ${holder.pid} on ${holder.host})`;
  return usageProblem('run-running', `Run ${run} is still running`, `Follow it: twin runs logs ${run} --follow`, { found, exit: 1 });
}

/** What is not as it was when the run began; null where all is. */
async function changesSince(past: PastRun, { session, graph, params }: OpenedPipeline): Promise<Problem | null> {
  const stores = await session.wired.stores();
  const hasher = codeHasher(stores.cache);
  const prepared = await prepareNodes(graph, params, hasher);
  // What stands in the way of keys is told by the run itself.
  if (!prepared.ok) return null;
  const steps = graph.nodes.map(plannedStep);
  const changed = setupChanges(past, { setup: setupOf(prepared.value, {}, {}), steps });
  if (changed.length === 0) return null;
  const fresh = async (digest: string) => {
    const code = await hasher.parts(digest);
    return code && { code };
  };
  const sources = { metadata: stores.metadata, artifacts: stores.artifacts, steps, fresh };
  const lines: string[] = [];
  for (const { address, changes } of changed.slice(0, stepsNamed)) {
    if (changes === null) lines.push(`${address}: ${graph.byAddress.has(address) ? 'is new' : 'is not part of the pipeline any more'}`);
    else lines.push(`${address}: ${(await explainChanges(sources, address, changes)).map(changeWords).join('; ')}`);
  }
  if (changed.length > stepsNamed) lines.push(`and ${changed.length - stepsNamed} more steps`);
  return {
    reason: 'changed-since',
    message: `${changed.length === 1 ? 'A step is' : `${changed.length} steps are`} not as ${changed.length === 1 ? 'it was' : 'they were'} when run ${past.run} began`,
    expected: 'the code, params, files and variables of that run',
    found: lines.join('\n'),
    hint: `To go on with what is there now: twin runs resume ${past.run} --allow-changes`,
    exit: 2,
  };
}

function changeWords({ part, name, before, after, code }: ExplainedChange): string {
  const value = (of: unknown): string => (of === null ? 'nothing' : JSON.stringify(of));
  if (part === 'code') {
    const modules = code?.modules.map(({ path }) => path) ?? [];
    const packages = code?.packages.map((one) => one.name) ?? [];
    return modules.length + packages.length > 0 ? `code of ${[...modules, ...packages].join(', ')} changed` : 'its code changed';
  }
  if (part === 'files') return `file ${name} changed`;
  return `${part === 'params' ? '' : `${part} `}${name ?? ''} ${value(before)} → ${value(after)}`.trim();
}
