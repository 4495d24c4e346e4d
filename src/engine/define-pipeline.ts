import type { AnyArtifact, JsonArtifact, RowsArtifact } from '../contracts/artifact.ts';
import type { Check } from './checks.ts';
import type { Artifacts, JobStep, MapStep, Step } from './define.ts';

declare const artifactOf: unique symbol;

/** An output of a step in a pipeline, to be wired into inputs of the same artifact. */
export interface Handle<Artifact extends AnyArtifact = AnyArtifact> {
  /** Address of the step in the graph, and the key of its output. */
  readonly step: string;
  readonly output: string;
  readonly artifact: Artifact;
  readonly [artifactOf]?: Artifact;
}

/** Handles by name. */
export type Handles<Of extends Artifacts> = { readonly [Name in keyof Of]: Handle<Of[Name]> };

/** `false` skips for the reason `condition`, `no-champion` for that one. */
export type ConditionOutcome = boolean | 'no-champion';

/** A step runs only where the predicate holds for the value of a JSON artifact. */
export type When<Value> = readonly [handle: Handle<JsonArtifact<string, Value>>, predicate: (value: Value) => ConditionOutcome];

/** How a step stands in a pipeline. */
export interface Wiring<Value> {
  /** Overrides of the step's params, below configuration and flags. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** The step's name in this pipeline, where its own would be ambiguous. */
  readonly as?: string;
  readonly when?: When<Value>;
  /** Steps that come first although none of their outputs is read: one that fails or refuses stops this one, one that a condition skips does not. */
  readonly after?: readonly Handle[];
  /**
   * The step runs when all others have ended, however they did, also when the run was stopped: it gives back what they took.
   * It has so long, in milliseconds, whatever became of the rest.
   */
  readonly cleanup?: { readonly withinMs: number };
  /** Names by which `--tag` picks the step, beside its kind and its pool. */
  readonly tags?: readonly string[];
}

/** Wires steps into a pipeline. Building is pure. */
export interface PipelineBuilder {
  step<Inputs extends Artifacts, Outputs extends Artifacts, Value>(
    step: Step<string, Inputs, Outputs> | JobStep<string, Inputs, Outputs>,
    inputs: NoInfer<Handles<Inputs>>,
    wiring?: Wiring<Value>,
  ): Handles<Outputs>;
  step<In, Out, InName extends string, OutName extends string, Value>(
    step: MapStep<string, In, Out, InName, OutName>,
    input: NoInfer<Handle<RowsArtifact<InName, In>>>,
    wiring?: Wiring<Value>,
  ): Handle<RowsArtifact<OutName, Out>>;
  /** Puts another pipeline's steps into this one under its name. Inputs that are left out, the other pipeline finds itself. */
  use<Inputs extends Artifacts, Outputs>(
    pipeline: Pipeline<string, Inputs, Outputs>,
    inputs: NoInfer<Partial<Handles<Inputs>>>,
    wiring?: { readonly as?: string; readonly after?: readonly Handle[] },
  ): Outputs;
  /** Checks an artifact each time that it is made or taken over. */
  check<Artifact extends AnyArtifact>(handle: Handle<Artifact>, check: NoInfer<Check<Artifact>>): void;
  /**
   * Does the same several times, each round on what the round before it gave: steps that `body` wires with the given builder are called
   * `<name>#1` to `<name>#<rounds>`, and a parameter of `<name>` is that of every round. There are at most 100 rounds.
   */
  loop<Value>(rounds: number, start: Value, body: (pipeline: PipelineBuilder, value: Value, round: number) => Value): Value;
}

/** A named graph of steps. */
export interface Pipeline<Name extends string = string, Inputs extends Artifacts = Artifacts, Outputs = unknown> {
  readonly kind: 'pipeline';
  readonly name: Name;
  readonly summary: string;
  readonly inputs: Inputs;
  build(pipeline: PipelineBuilder, inputs: Partial<Handles<Inputs>>): Outputs;
}

/** Any pipeline, whatever it takes and gives. */
// oxlint-disable-next-line typescript/no-explicit-any -- see RowStepRecord
export type AnyPipeline = Pipeline<string, any, any>;

/** Defines a pipeline: wiring only. Its inputs are optional: run alone, it has none of them. */
export function definePipeline<const Name extends string, Outputs, const Inputs extends Artifacts = Record<never, never>>(declaration: {
  readonly name: Name;
  readonly summary: string;
  readonly inputs?: Inputs;
  build(pipeline: PipelineBuilder, inputs: Partial<Handles<Inputs>>): Outputs;
}): Pipeline<Name, Inputs, Outputs> {
  return {
    kind: 'pipeline',
    name: declaration.name,
    summary: declaration.summary,
    inputs: declaration.inputs ?? ({} as Inputs),
    build: declaration.build,
  };
}
