import type { CommandOutcome } from '../../contracts/command-results.ts';
import { nearName } from '../../contracts/near-name.ts';
import { showRun } from '../../history/runs.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { explainNow } from '../explain-now.ts';
import { explainRun } from '../explain-run.ts';
import { openPipeline } from '../pipeline-run.ts';
import { pipelineOf } from '../pipeline-of.ts';
import { openSession } from '../session.ts';

/** Options of `twin why`. */
export interface WhyFlags {
  readonly run?: string;
  readonly pipeline?: string;
  readonly set?: readonly string[];
  readonly offline?: true;
}

/** `twin why <step>`: which part of the step's key changed against the nearest earlier result, in a run or for one that would begin now. */
export async function why(context: CommandContext, flags: WhyFlags, step: string): Promise<CommandOutcome> {
  return flags.run === undefined ? whyNow(context, flags, step) : whyInRun(context, flags.run, step);
}

async function whyInRun(context: CommandContext, run: string, step: string): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { metadata, artifacts } = await session.value.wired.stores();
  const shown = await showRun(metadata, run);
  if (!shown.ok) return refused([shown.error]);
  const address = addressIn(step, shown.value.steps);
  if (address === null)
    return refused([unknownStep(step, `Run ${shown.value.run}`, shown.value.steps, `twin runs show ${shown.value.run}`)]);
  return done(await explainRun({ metadata, artifacts, steps: shown.value.steps }, shown.value, address));
}

async function whyNow(context: CommandContext, flags: WhyFlags, step: string): Promise<CommandOutcome> {
  const pipeline = flags.pipeline ?? (await pipelineOf(context, step));
  if (typeof pipeline !== 'string') return refused([pipeline]);
  const opened = await openPipeline(context, pipeline, { set: flags.set ?? [], writes: 'caches' });
  if (!opened.ok) return refused(opened.error);
  const { nodes } = opened.value.graph;
  const address = addressIn(step, nodes);
  if (address === null) return refused([unknownStep(step, `Pipeline ${pipeline}`, nodes, `twin plan ${pipeline}`)]);
  const explained = await explainNow(opened.value, address, flags.offline === true);
  return explained.ok ? done(explained.value) : refused(explained.error);
}

/** The step of this address, or the only one whose address ends with it. */
function addressIn(name: string, steps: readonly { readonly address: string }[]): string | null {
  if (steps.some(({ address }) => address === name)) return name;
  const ends = steps.filter(({ address }) => address.endsWith(`.${name}`));
  return ends.length === 1 ? ends[0]!.address : null;
}

function unknownStep(step: string, where: string, steps: readonly { readonly address: string }[], list: string) {
  const addresses = steps.map(({ address }) => address);
  const several = addresses.filter((address) => address.endsWith(`.${step}`));
  if (several.length > 1) {
    return usageProblem('ambiguous-step', `${where} has ${several.length} steps ${step}`, 'Give the whole address', {
      found: several.join(', '),
    });
  }
  const near = nearName(step, addresses);
  return usageProblem('unknown-step', `${where} has no step ${step}`, near ? `Did you mean ${near}?` : `${list} lists its steps`);
}
