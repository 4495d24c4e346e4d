import { z } from 'zod';
import { configFileJsonSchema } from '../config/schema.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import { buildGraph, type Graph } from '../engine/graph.ts';
import { drivenSteps } from '../engine/params.ts';
import type { PipelineIndex } from './project.ts';

/** A JSON Schema by which an editor completes and checks configuration files. */
export interface ConfigurationSchema {
  readonly name: string;
  /** Which files it is for. */
  readonly what: string;
  readonly text: string;
}

type Schema = Record<string, unknown>;

/** The schema of every configuration file: of all layers, and one a pipeline with the parameters of its steps. */
export async function configurationSchemas(pipelines: PipelineIndex): Promise<Result<readonly ConfigurationSchema[], readonly Problem[]>> {
  const names = Object.keys(pipelines);
  const schemas = [schemaFile('config', 'base.yaml, profiles/*.yaml, local.yaml', configFileJsonSchema(names))];
  for (const name of names) {
    const built = buildGraph(await pipelines[name]!());
    if (!built.ok) return built;
    schemas.push(schemaFile(name, `pipelines/${name}.yaml`, pipelineFileSchema(name, built.value)));
  }
  return { ok: true, value: schemas };
}

function schemaFile(name: string, what: string, schema: object): ConfigurationSchema {
  return { name: `${name}.schema.json`, what, text: `${JSON.stringify(schema, null, 2)}\n` };
}

function pipelineFileSchema(name: string, graph: Graph): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `Parameters of ${name}`,
    type: 'object',
    properties: { params: paramsSchema(graph) },
    additionalProperties: false,
  };
}

/** Parameters by address: as nested maps, and joined by dots. */
function paramsSchema(graph: Graph): Schema {
  const root: Schema = { type: ['object', 'null'], properties: {}, additionalProperties: false };
  const dotted: Schema = {};
  for (const node of graph.nodes) {
    const { step } = node;
    addStep(root, dotted, node.address, step.summary, step.params);
    for (const driven of Object.values(drivenSteps(node)))
      addStep(root, dotted, `${node.address}.${driven.name}`, driven.summary, driven.params);
  }
  root['properties'] = { ...(root['properties'] as Schema), ...dotted };
  return root;
}

function addStep(root: Schema, dotted: Schema, address: string, summary: string, params: z.ZodType): void {
  const described = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' }) as { readonly properties?: Schema };
  let at = root;
  for (const part of address.split('.')) {
    const properties = at['properties'] as Schema;
    at = (properties[part] ??= { type: ['object', 'null'], properties: {}, additionalProperties: false }) as Schema;
  }
  at['description'] = summary;
  for (const [name, schema] of Object.entries(described.properties ?? {})) {
    (at['properties'] as Schema)[name] = schema;
    dotted[`${address}.${name}`] = schema;
  }
}
