import { join, relative, resolve } from 'node:path';
import { settingNear } from '../../config/origin.ts';
import type { Config } from '../../config/schema.ts';
import type { CommandOutcome, ConfigValue } from '../../contracts/command-results.ts';
import { drivenSteps } from '../../engine/params.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { openPipeline } from '../pipeline-run.ts';
import { pipelineIndex } from '../project.ts';
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
    const wired = new Set(leaves(node.params, node.address).map(([key]) => key));
    return leaves(own, node.address)
      .concat(driven)
      .map(([key, value]) => ({ key, value, wiredAt: isWithin(key, wired) ? node.place : null }));
  });
  const values = parameters.map(({ key, value, wiredAt }): ConfigValue => {
    const setting = settingNear(session.settings, `params.${key}`);
    const layer = setting?.origin.layer ?? (key in overrides ? 'key' : wiredAt === null ? 'default' : 'wiring');
    const where = setting?.origin.where ?? overrides[key]?.origin ?? wiredAt;
    return { type: 'config-value', key: `params.${key}`, value, layer, where };
  });
  return done({ type: 'config', values: [...keys(session), ...values], origin });
}

/** Whether an address is one of these or lies below one. */
function isWithin(address: string, known: ReadonlySet<string>): boolean {
  for (let end = address.length; end > 0; end = address.lastIndexOf('.', end - 1)) if (known.has(address.slice(0, end))) return true;
  return false;
}

/** `twin config schema`: what an editor completes and checks configuration files with, the parameters of each pipeline's steps too. */
export async function writeSchemas(context: CommandContext, options: { readonly output: string }): Promise<CommandOutcome> {
  const { mkdir, writeFile } = await import('node:fs/promises');
  const { configurationSchemas } = await import('../configuration-schemas.ts');
  const schemas = await configurationSchemas(await pipelineIndex(context.project));
  if (!schemas.ok) return refused(schemas.error);
  const folder = resolve(context.folder, options.output);
  await mkdir(folder, { recursive: true });
  const places = [];
  for (const { name, what, text } of schemas.value) {
    await writeFile(join(folder, name), text);
    places.push({ what, path: relative(context.folder, join(folder, name)) });
  }
  return done({ type: 'places', places });
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
