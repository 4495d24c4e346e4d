import { join } from 'node:path';
import { openFolderArtifactStore } from '../../src/adapters/artifact-store/folder.ts';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import type { Problem } from '../../src/contracts/problem.ts';
import type { Holder } from '../../src/contracts/run.ts';
import type { CodeHasher } from '../../src/engine/code-hash.ts';
import { type AnyPipeline, type PipelineBuilder, definePipeline } from '../../src/engine/define.ts';
import { type RunEnd, executeRun } from '../../src/engine/execute.ts';
import { buildGraph } from '../../src/engine/graph.ts';
import { type ParamOverride, resolveParams } from '../../src/engine/params.ts';
import { planRun } from '../../src/engine/plan.ts';
import type { Stores } from '../../src/engine/run-context.ts';
import type { RunOptions } from '../../src/engine/run-options.ts';
import type { PortSource, Ports } from '../../src/ports/ports.ts';
import { memoryMetadataStore } from './memory-metadata-store.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A process that runs pipelines in tests. */
export const testHolder: Holder = { host: 'here', bootId: 'boot', pidNamespace: 'ns', pid: 1, start: '1', command: 'twin run test' };

/** What a run came to: its end, and how each step ended. */
export interface RigRun {
  readonly end: RunEnd;
  readonly events: readonly RunEvent[];
  /** `<outcome>` or `<outcome> <reason>` by address. */
  readonly outcomes: Readonly<Record<string, string>>;
  finished(step: string): RunEvent & { readonly type: 'step-finished' };
}

interface RunInput extends RunOptions {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  readonly holder?: Holder;
  readonly isDead?: (holder: Holder) => boolean;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Stores in a temporary folder and in memory, and pipelines that run on them. */
export async function engineRig(
  given: {
    readonly ports?: Partial<Ports>;
    readonly identities?: Readonly<Record<string, string>>;
    readonly stores?: Partial<Stores>;
    readonly hasher?: CodeHasher;
  } = {},
) {
  const folder = await temporaryFolder();
  const stores: Stores = {
    metadata: memoryMetadataStore(),
    cache: memoryMetadataStore(),
    artifacts: openFolderArtifactStore({ folder: join(folder, 'artifacts') }),
    ...given.stores,
  };
  const opened: string[] = [];
  const ports: PortSource = {
    async open(name) {
      opened.push(name);
      return given.ports![name]!;
    },
    identity: async (name) => given.identities?.[name] ?? null,
  };
  // Test files define steps beside tests, so their bundles would hold the engine itself.
  const hasher: CodeHasher = given.hasher ?? {
    prime: async () => undefined,
    hash: async (module) => ({ ok: true, value: `code of ${module}` }),
    parts: async () => null,
  };
  const prepare = (build: AnyPipeline | ((builder: PipelineBuilder) => unknown), set: Readonly<Record<string, unknown>> = {}) => {
    const pipeline = typeof build === 'function' ? definePipeline({ name: 'test', summary: 'Test', build }) : build;
    const graph = orThrow(buildGraph(pipeline));
    const overrides: Record<string, ParamOverride> = {};
    for (const [address, value] of Object.entries(set)) overrides[address] = { value, origin: '--set' };
    return { graph, params: orThrow(resolveParams(graph, overrides)) };
  };

  return {
    stores,
    folder,
    /** Names of the ports that were opened, in order. */
    opened,
    async run(build: AnyPipeline | ((builder: PipelineBuilder) => unknown), input: RunInput = {}): Promise<RigRun> {
      const { set, signal = new AbortController().signal, holder = testHolder, isDead = () => false, onEvent, ...options } = input;
      const events: RunEvent[] = [];
      const emit = (event: RunEvent): void => {
        events.push(event);
        onEvent?.(event);
      };
      const end = await executeRun({
        ...prepare(build, set),
        stores,
        ports,
        emit,
        signal,
        options,
        holder,
        isDead,
        profile: 'test',
        hasher,
      });
      const finished = events.filter((event) => event.type === 'step-finished');
      return {
        end,
        events,
        outcomes: Object.fromEntries(
          finished.map(({ step, outcome, reason }) => [step, reason === null ? outcome : `${outcome} ${reason}`]),
        ),
        finished: (step) => finished.find((event) => event.step === step)!,
      };
    },
    plan: (
      build: AnyPipeline | ((builder: PipelineBuilder) => unknown),
      input: Omit<RunInput, 'signal'> & { readonly offline?: boolean } = {},
    ) => {
      const { set, offline = false, ...options } = input;
      return planRun({ ...prepare(build, set), stores, ports, options, offline, hasher });
    },
  };
}

function orThrow<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: readonly Problem[] },
): Value {
  if (!result.ok) throw new Error(JSON.stringify(result.error, null, 2));
  return result.value;
}
