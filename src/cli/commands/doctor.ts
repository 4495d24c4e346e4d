import type { CommandOutcome, Finding } from '../../contracts/command-results.ts';
import type { Problem } from '../../contracts/problem.ts';
import { type CommandContext, done } from '../context.ts';
import { checkDevices } from '../check-devices.ts';
import { checkSchedules } from '../check-schedules.ts';
import { openPipeline } from '../pipeline-run.ts';
import { type Check, checkEndpoint, preflight } from '../preflight.ts';
import { pipelineIndex } from '../project.ts';
import { openSession } from '../session.ts';

/** `twin doctor`: everything that a run needs, looked at all at once; exit 2 where something is in the way. */
export async function doctor(context: CommandContext): Promise<CommandOutcome> {
  const findings = [...node(), ...(await configurationAndPipelines(context))];
  const session = await openSession(context, { writes: 'nothing' });
  if (session.ok) {
    const checks = [...(await preflight(session.value, context.environment, true)), ...(await checkEndpoint(session.value.config))];
    // A journal that cannot be read has said so already.
    const journalAnswers = !checks.some(({ subject, problem }) => (subject === 'journal' || subject === 'state') && problem !== null);
    findings.push(
      ...checks.map(findingOf),
      ...(journalAnswers ? await checkSchedules(session.value) : []),
      ...(await checkDevices(session.value)),
    );
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

/** Each pipeline is built and given its parameters. A mistake that several share is told once; a parameter is unknown where no pipeline knows it. */
async function configurationAndPipelines(context: CommandContext): Promise<readonly Finding[]> {
  const names = Object.keys(await pipelineIndex(context.project));
  const problems: Problem[] = [];
  for (const name of names) {
    const opened = await openPipeline(context, name, { writes: 'nothing' });
    if (!opened.ok) problems.push(...opened.error);
  }
  const unknownIn = Map.groupBy(problems, ({ reason, where }) => (reason === 'unknown-address' ? where : undefined));
  const told = problems.filter(({ reason, where }) => reason !== 'unknown-address' || unknownIn.get(where)?.length === names.length);
  const distinct = [...new Map(told.map((problem) => [`${problem.where}\n${problem.reason}`, problem])).values()];
  if (distinct.length > 0) return distinct.map((problem) => problemFinding('configuration', problem));
  const found = `profile ${context.profile}; ${names.length} pipelines are wired right`;
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
    found: details.length === 0 ? message : `${message.replace(/\.$/, '')} (${details.join(', ')})`,
    where: where ?? null,
    fix: hint ?? null,
  };
}
