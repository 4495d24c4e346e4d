import type { CommandOutcome, Finding } from '../../contracts/command-results.ts';
import type { Problem } from '../../contracts/problem.ts';
import { type CommandContext, done } from '../context.ts';
import { openPipeline } from '../pipeline-run.ts';
import { type Check, checkEndpoint, preflight } from '../preflight.ts';
import { pipelineIndex } from '../project.ts';
import { openSession } from '../session.ts';

/** `twin doctor`: everything that a run needs, looked at all at once; exit 2 where something is in the way. */
export async function doctor(context: CommandContext): Promise<CommandOutcome> {
  const findings = [...node(), ...(await configurationAndPipelines(context))];
  const session = await openSession(context, { readOnly: true });
  if (session.ok) {
    const checks = [...(await preflight(session.value, context.environment, true)), ...(await checkEndpoint(session.value.config))];
    findings.push(...checks.map(findingOf));
  }
  return done({ type: 'doctor', findings }, findings.some(({ state }) => state === 'problem') ? 2 : 0);
}

/** A check as doctor tells of it. */
export function findingOf({ subject, found, problem, note }: Check): Finding {
  if (problem !== null) return problemFinding(subject, problem);
  return {
    type: 'finding',
    subject,
    state: note === undefined ? 'ok' : 'warn',
    found: note === undefined ? found : `${found}. ${note}`,
    where: null,
    fix: null,
  };
}

function node(): readonly Finding[] {
  return [
    {
      type: 'finding',
      subject: 'Node',
      state: 'ok',
      found: `${process.version} on ${process.platform}-${process.arch}`,
      where: null,
      fix: null,
    },
  ];
}

/** Each pipeline is built and given its parameters; a mistake that several of them share is told once. */
async function configurationAndPipelines(context: CommandContext): Promise<readonly Finding[]> {
  const names = Object.keys(await pipelineIndex(context.project));
  const problems = new Map<string, Finding>();
  let steps = 0;
  for (const name of names) {
    const opened = await openPipeline(context, name, { readOnly: true });
    if (opened.ok) steps += opened.value.graph.nodes.length;
    else for (const problem of opened.error) problems.set(JSON.stringify(problem), problemFinding('configuration', problem));
  }
  if (problems.size > 0) return [...problems.values()];
  const found = `profile ${context.profile}; ${names.length} pipelines with ${steps} steps are wired right`;
  return [{ type: 'finding', subject: 'configuration', state: 'ok', found, where: null, fix: null }];
}

function problemFinding(subject: string, { message, expected, found, where, hint }: Problem): Finding {
  const details = [expected === undefined ? null : `expected ${expected}`, found === undefined ? null : `found ${found}`].filter(
    (part) => part !== null,
  );
  return {
    type: 'finding',
    subject,
    state: 'problem',
    found: details.length === 0 ? message : `${message} (${details.join(', ')})`,
    where: where ?? null,
    fix: hint ?? null,
  };
}
