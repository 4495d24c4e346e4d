import type { Problem, Result } from '../contracts/problem.ts';
import type { RunSetup } from '../contracts/run.ts';
import type { RunView } from '../contracts/run-view.ts';
import type { ParamOverrides } from '../engine/params.ts';
import { showRun } from '../history/runs.ts';
import { type CommandContext, usageProblem } from './context.ts';
import { openSession } from './session.ts';

/** A run of which it is known how it was set up. */
export interface PastRun extends RunView {
  readonly setup: RunSetup;
}

/** The run that shall be continued or forked, in the profile that it ran with. */
export async function findPastRun(context: CommandContext, id: string): Promise<Result<PastRun, readonly Problem[]>> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return session;
  const shown = await showRun(await session.value.wired.journal(), id);
  if (!shown.ok) return { ok: false, error: [shown.error] };
  const { setup, run, profile, pipeline } = shown.value;
  if (setup === null) {
    const message = `The journal of run ${run} does not say how it was set up: an earlier version of twin ran it`;
    return {
      ok: false,
      error: [usageProblem('unknown-setup', message, `Run the pipeline again, what it finished is kept: twin run ${pipeline}`)],
    };
  }
  if (profile !== context.profile) {
    const more = { expected: `--profile ${profile}`, found: `--profile ${context.profile}` };
    return { ok: false, error: [usageProblem('other-profile', `Run ${run} ran with another profile`, `Add --profile ${profile}`, more)] };
  }
  return { ok: true, value: { ...shown.value, setup } };
}

/** The params that a run had, as overrides: what the configuration says by now does not count. */
export function paramsOfRun({ run, setup }: PastRun): ParamOverrides {
  const overrides: Record<string, { readonly value: unknown; readonly origin: string }> = {};
  for (const [address, params] of Object.entries(setup.params)) {
    for (const [name, value] of Object.entries(params as Readonly<Record<string, unknown>>)) {
      overrides[`${address}.${name}`] = { value, origin: `run ${run}` };
    }
  }
  return overrides;
}
