import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import type { AnyArtifact } from '../../src/contracts/artifact.ts';
import { canonicalJson, digestOf } from '../../src/contracts/digest.ts';
import type { Artifacts, MapStep, Mapped, Step } from '../../src/engine/define.ts';
import type { Ports } from '../../src/ports/ports.ts';

/** What a step wrote: rows as arrays, JSON as its value, folders as their path; an adopted output as `{adopted}`. */
export interface StepOutcome {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly logs: readonly string[];
}

interface Given {
  /** Rows as arrays, JSON as its value, folders as a path; validated by the step's own schemas. */
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly ports?: Partial<Ports>;
  /** Stand-ins for driven map steps, by name. */
  readonly rows?: Readonly<Record<string, (row: never) => Promise<readonly unknown[]>>>;
  readonly run?: string;
  readonly forced?: boolean;
}

async function inputFor(artifact: AnyArtifact, value: unknown): Promise<unknown> {
  switch (artifact.kind) {
    case 'json':
      return artifact.schema.parse(value);
    case 'rows': {
      const rows = (value as unknown[]).map((row) => artifact.schema.parse(row) as unknown);
      return {
        count: rows.length,
        digest: digestOf(rows),
        async *[Symbol.asyncIterator]() {
          yield* rows;
        },
        async path() {
          const file = join(await mkdtemp(join(tmpdir(), 'rows-')), 'rows.jsonl');
          await writeFile(file, rows.map((row) => `${canonicalJson(row)}\n`).join(''));
          return file;
        },
      };
    }
    case 'folder':
      return { digest: digestOf(value), path: async () => value as string };
  }
}

/** Runs a step alone with plain values, as the engine would: params parsed, inputs and outputs validated. */
export async function runStep<Inputs extends Artifacts, Outputs extends Artifacts>(
  step: Step<string, Inputs, Outputs>,
  { inputs = {}, params = {}, ports = {}, rows = {}, run = 'run-1', forced = false }: Given = {},
): Promise<StepOutcome> {
  const written: Record<string, unknown> = {};
  const counts: Record<string, number> = {};
  const logs: string[] = [];
  const outputs: Record<string, unknown> = {};
  for (const [name, artifact] of Object.entries(step.outputs as Artifacts)) {
    const adopt = async ({ digest }: { readonly digest: string }): Promise<void> => void (written[name] = { adopted: digest });
    if (artifact.kind === 'folder') {
      const path = await mkdtemp(join(tmpdir(), 'folder-'));
      written[name] = path;
      outputs[name] = { path, adopt };
    } else if (artifact.kind === 'rows') {
      written[name] = [];
      outputs[name] = { adopt, write: async (row: unknown) => void (written[name] as unknown[]).push(artifact.schema.parse(row)) };
    } else {
      outputs[name] = { write: async (value: unknown) => void (written[name] = artifact.schema.parse(value)) };
    }
  }
  const read = Object.fromEntries(
    await Promise.all(
      Object.entries(step.inputs as Artifacts).map(async ([name, artifact]) => [name, await inputFor(artifact, inputs[name])] as const),
    ),
  );
  const context = {
    params: step.params.parse(params),
    inputs: read,
    inputDigests: Object.fromEntries(Object.keys(read).map((name) => [name, digestOf(inputs[name] ?? null)])),
    outputs,
    ports,
    rows,
    run,
    forced,
    signal: new AbortController().signal,
    count: (name: string, amount = 1) => void (counts[name] = (counts[name] ?? 0) + amount),
    log: (message: string) => void logs.push(message),
    progress: () => undefined,
  };
  await step.run(context as never);
  return { outputs: written, counts, logs };
}

/** What a step observes of outside state. */
export function observeStep(step: Step, { params = {}, ports = {}, inputs = {} }: Given = {}): Promise<string> {
  const inputDigests = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, digestOf(value)]));
  return step.observe!({ params: step.params.parse(params), ports, inputDigests } as never);
}

/** What a map step makes of one row. */
export async function mapRow<In, Out>(
  step: MapStep<string, In, Out>,
  row: z.input<z.ZodType<In>>,
  { params = {}, ports = {} }: Given = {},
): Promise<{ readonly result: Mapped<Out>; readonly counts: Readonly<Record<string, number>> }> {
  const counts: Record<string, number> = {};
  const context = {
    row: step.input.schema.parse(row),
    params: step.params.parse(params),
    ports,
    signal: new AbortController().signal,
    count: (name: string, amount = 1) => void (counts[name] = (counts[name] ?? 0) + amount),
    log: () => undefined,
  };
  return { result: await step.run!(context as never), counts };
}
