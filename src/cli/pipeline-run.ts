import { z } from 'zod';
import { type Setting, settingNear } from '../config/origin.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import { buildGraph, type Graph } from '../engine/graph.ts';
import { drivenSteps, type ParamOverride, type ParamOverrides, type ResolvedParams, resolveParams } from '../engine/params.ts';
import type { CommandContext } from './context.ts';
import { findPipeline, pipelineIndex, usedPipelines } from './project.ts';
import { openSession, type Session } from './session.ts';
import type { Writes } from './wire.ts';

/** A pipeline ready to be planned or run: wiring, configuration and parameters are right. */
export interface OpenedPipeline {
  readonly session: Session;
  readonly graph: Graph;
  readonly params: ResolvedParams;
  /** What the configuration gives to parameters, by address. */
  readonly overrides: ParamOverrides;
  /** `<address>=<value>`, as `--set` gave them. */
  readonly set: readonly string[];
}

/** Parameters that follow a key of the configuration wherever a step has one of that name, unless something is said about the step itself. */
const sharedParameters = { tenant: 'tenant', index: 'index', alias: 'promotion.alias' } as const;

/** Builds a pipeline and gives its steps their parameters: all mistakes of wiring and configuration at once. */
export async function openPipeline(
  context: CommandContext,
  name: string,
  options: {
    readonly set?: readonly string[];
    readonly writes?: Writes;
    readonly manyJobs?: boolean;
    /** Params of an earlier run, which stand for what the configuration says; flags stand above them. */
    readonly base?: ParamOverrides;
  },
): Promise<Result<OpenedPipeline, readonly Problem[]>> {
  const pipelines = await pipelineIndex(context.project);
  const found = await findPipeline(pipelines, name);
  if (!found.ok) return { ok: false, error: [found.error] };
  const built = buildGraph(found.value);
  const session = await openSession(context, { ...options, uses: usedPipelines(found.value), pipelines });
  if (!built.ok || !session.ok) return { ok: false, error: [...(built.ok ? [] : built.error), ...(session.ok ? [] : session.error)] };
  const graph = built.value;
  const overrides = options.base ? overBase(options.base, graph, session.value) : overridesOf(graph, session.value);
  const params = resolveParams(graph, overrides);
  return params.ok
    ? { ok: true, value: { session: session.value, graph, params: params.value, overrides, set: options.set ?? [] } }
    : params;
}

function overridesOf(graph: Graph, session: Session): ParamOverrides {
  const overrides: Record<string, ParamOverride> = { ...sharedOverrides(graph, session) };
  for (const setting of session.settings.values()) {
    if (!setting.address.startsWith('params.')) continue;
    const address = setting.address.slice('params.'.length);
    // A step with nothing but comments under it says nothing.
    if (setting.value === null && graph.byAddress.has(address)) continue;
    const { value, text } = setting;
    overrides[address] = { value, origin: originWords(setting), ...(text !== undefined && { text }) };
  }
  return overrides;
}

/** Params of an earlier run with the flags above them; of a step that it did not have, what the configuration says. */
function overBase(base: ParamOverrides, graph: Graph, session: Session): ParamOverrides {
  const had = new Set(Object.keys(base).map((address) => stepOf(address, graph)));
  const overrides: Record<string, ParamOverride> = { ...base };
  const flags = new Set([...session.settings.values()].filter(({ origin }) => origin.layer === 'flag').map(({ address }) => address));
  for (const [address, override] of Object.entries(overridesOf(graph, session))) {
    if (flags.has(`params.${address}`) || !had.has(stepOf(address, graph))) overrides[address] = override;
  }
  return overrides;
}

/** The step that an address of a param begins with. */
function stepOf(address: string, graph: Graph): string {
  for (let dot = address.lastIndexOf('.'); dot > 0; dot = address.lastIndexOf('.', dot - 1)) {
    if (graph.byAddress.has(address.slice(0, dot))) return address.slice(0, dot);
  }
  return address;
}

function sharedOverrides(graph: Graph, { config, settings }: Session): ParamOverrides {
  const values = { tenant: config.tenant, index: config.index, alias: config.promotion.alias };
  const overrides: Record<string, ParamOverride> = {};
  for (const node of graph.nodes) {
    const owners = [
      { address: node.address, schema: node.step.params },
      ...Object.values(drivenSteps(node)).map((step) => ({ address: `${node.address}.${step.name}`, schema: step.params })),
    ];
    for (const { address, schema } of owners) {
      if (!(schema instanceof z.ZodObject)) continue;
      for (const [name, key] of Object.entries(sharedParameters)) {
        if (!(name in schema.shape) || name in node.params) continue;
        const setting = settingNear(settings, key);
        overrides[`${address}.${name}`] = {
          value: values[name as keyof typeof values],
          origin: `${key} (${setting ? originWords(setting) : 'default'})`,
        };
      }
    }
  }
  return overrides;
}

function originWords({ origin }: Setting): string {
  return origin.where ?? origin.layer;
}
