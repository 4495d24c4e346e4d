import { settingNear } from '../../config/origin.ts';
import type { Config } from '../../config/schema.ts';
import type { CommandOutcome, ConfigValue } from '../../contracts/command-results.ts';
import { drivenSteps } from '../../engine/params.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { openPipeline } from '../pipeline-run.ts';
import { openSession, type Session } from '../session.ts';

/** `twin config show [pipeline]`: every value, and with a pipeline every parameter of its steps. */
export async function showConfig(
  context: CommandContext,
  options: { readonly origin?: true; readonly set?: readonly string[] },
  pipeline?: string,
): Promise<CommandOutcome> {
  const origin = options.origin === true;
  const set = options.set ?? [];
  if (pipeline === undefined) {
    const session = await openSession(context, { set, writes: 'nothing' });
    return session.ok ? done({ type: 'config', values: keys(session.value), origin }) : refused(session.error);
  }
  const opened = await openPipeline(context, pipeline, { set, writes: 'nothing' });
  if (!opened.ok) return refused(opened.error);
  const { session, graph, params, overrides } = opened.value;
  const parameters = graph.nodes.flatMap((node) => {
    const { params: own, rows } = params.get(node.address)!;
    const driven = Object.entries(drivenSteps(node)).flatMap(([key, step]) => leaves(rows[key], `${node.address}.${step.name}`));
    return leaves(own, node.address).concat(driven);
  });
  const values = parameters.map(([key, value]): ConfigValue => {
    const setting = settingNear(session.settings, `params.${key}`);
    const layer = setting?.origin.layer ?? (key in overrides ? 'key' : 'default');
    return { type: 'config-value', key: `params.${key}`, value, layer, where: setting?.origin.where ?? overrides[key]?.origin ?? null };
  });
  return done({ type: 'config', values: [...keys(session), ...values], origin });
}

function keys({ config, settings }: Session): readonly ConfigValue[] {
  const { params: _params, ...own } = config satisfies Config;
  return leaves(own, '').map(([key, value]) => {
    const { layer, where } = settingNear(settings, key)?.origin ?? { layer: 'default', where: null };
    return { type: 'config-value', key, value, layer, where };
  });
}

/** The single values of nested maps, by dotted address. */
function leaves(value: unknown, address: string): readonly (readonly [address: string, value: unknown])[] {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length === 0)
    return address === '' || (typeof value === 'object' && value !== null && !Array.isArray(value)) ? [] : [[address, value]];
  return entries.flatMap(([key, inner]) => leaves(inner, address === '' ? key : `${address}.${key}`));
}
