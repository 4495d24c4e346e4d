import { getCallSites } from 'node:util';
import type { z } from 'zod';
import type { AnyArtifact, JsonArtifact, RowsArtifact } from '../contracts/artifact.ts';
import type { JobName, jobs } from '../contracts/jobs.ts';
import type { PortName, Ports } from '../ports/ports.ts';
import type { InputOf, Mapped, OutputOf } from './values.ts';

export { drop } from './values.ts';
export type { Drop, FolderReader, InputOf, Mapped, OutputOf, RowReader } from './values.ts';

/** Version of what a step can see of the engine; part of every fingerprint, raised when the same step would mean something else. */
export const stepContractVersion = 1;

/** Artifacts by the camelCase key under which a step names them. */
export type Artifacts = Readonly<Record<string, AnyArtifact>>;

/** What every step may use beside its inputs and outputs. */
export interface Tools<Needs extends PortName> {
  readonly ports: { readonly [Name in Needs]: Ports[Name] };
  /** Aborts when the step shall stop; long work must heed it. */
  readonly signal: AbortSignal;
  /** Adds to a named counter, which is kept with the result and shown. */
  count(name: string, amount?: number): void;
  log(message: string): void;
}

/** A map step in the hands of the step that drives it: rows for a row, out of the row cache or made now; none where it was dropped. */
export interface DrivenMapStep<In, Out> {
  (row: In): Promise<readonly Out[]>;
  /** Digest of everything but the row that the results depend on: code, version, params, ports. It names what was made with it. */
  readonly identity: string;
}

/** What `run` of a step is given. */
export interface StepContext<
  Params,
  Inputs extends Artifacts,
  Outputs extends Artifacts,
  Needs extends PortName,
  RowSteps extends RowStepRecord,
> extends Tools<Needs> {
  readonly params: Params;
  readonly inputs: { readonly [Name in keyof Inputs]: InputOf<Inputs[Name]> };
  readonly inputDigests: { readonly [Name in keyof Inputs]: string };
  readonly outputs: { readonly [Name in keyof Outputs]: OutputOf<Outputs[Name]> };
  /** Work done so far, and all of it where that is known: what the estimate is made from. */
  progress(done: number, total?: number): void;
  /** The step's map steps, each through its row cache. */
  readonly rows: {
    readonly [Name in keyof RowSteps]: RowSteps[Name] extends MapStep<string, infer In, infer Out> ? DrivenMapStep<In, Out> : never;
  };
  /** The run that this is part of: for records of effects alone, never for results. */
  readonly run: string;
  /** `--force` names this step: an effect step does all of its work anew, whatever it noted of earlier times. */
  readonly forced: boolean;
}

/** What `run` of a map step is given. */
export interface RowContext<Row, Params, Needs extends PortName> extends Tools<Needs> {
  readonly row: Row;
  readonly params: Params;
}

/** Map steps that a step drives itself, by name. */
// oxlint-disable-next-line typescript/no-explicit-any -- a map step is contravariant in its input row; only `any` lets every one be in the record
export type RowStepRecord = Readonly<Record<string, MapStep<string, any, any>>>;

/** File and line of a definition or a wiring. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** How often a failed attempt is repeated, by class of failure; user errors never are. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly firstDelayMs?: number;
  readonly maximumDelayMs?: number;
}

/** Four different limits, in milliseconds; none by default. */
export interface Timeouts {
  readonly queueMs?: number;
  readonly attemptMs?: number;
  readonly totalMs?: number;
  readonly heartbeatMs?: number;
}

interface StepBasics {
  readonly name: string;
  /** Part of the fingerprint: raise it when equal input would give different output although the code is the same. */
  readonly version: number;
  readonly summary: string;
  readonly place: Place;
  readonly params: z.ZodType;
  readonly needs: readonly PortName[];
  /** Files whose content is part of the key. */
  readonly files: ((params: never) => readonly string[]) | undefined;
  /** Names of environment variables whose values are part of the key. */
  readonly environment: readonly string[];
  readonly pool: string | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly timeouts: Timeouts | undefined;
}

/** A step as the engine sees it. */
export interface Step<
  Name extends string = string,
  Inputs extends Artifacts = Artifacts,
  Outputs extends Artifacts = Artifacts,
> extends StepBasics {
  readonly kind: 'step';
  readonly name: Name;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
  readonly rows: RowStepRecord;
  /** The target that the step changes: it names the lock and makes this an effect step. */
  readonly effect: ((params: never) => string) | undefined;
  /** A token of the outside state that the step reads or changes. */
  readonly observe: ((context: never) => Promise<string>) | undefined;
  readonly run: (context: never) => Promise<void>;
}

/** A step that turns each row of one input into rows of one output. */
export interface MapStep<
  Name extends string = string,
  In = unknown,
  Out = unknown,
  InName extends string = string,
  OutName extends string = string,
> extends StepBasics {
  readonly kind: 'map';
  readonly name: Name;
  readonly input: RowsArtifact<InName, In>;
  readonly output: RowsArtifact<OutName, Out>;
  readonly run: ((context: never) => Mapped<Out> | Promise<Mapped<Out>>) | undefined;
  readonly runBatch: ((context: never) => Promise<readonly Mapped<Out>[]>) | undefined;
}

/** A step whose work a Python job does: inputs and outputs travel as files under the same names. */
export interface JobStep<
  Name extends string = string,
  Inputs extends Artifacts = Artifacts,
  Outputs extends Artifacts = Artifacts,
> extends StepBasics {
  readonly kind: 'job';
  readonly name: Name;
  readonly job: JobName;
  readonly inputs: Inputs;
  readonly outputs: Outputs;
}

/** Any kind of step. */
// oxlint-disable-next-line typescript/no-explicit-any -- see RowStepRecord
export type AnyStep = Step<string, any, any> | MapStep<string, any, any> | JobStep<string, any, any>;

interface Declaration<Name extends string, Params extends z.ZodType, Needs extends PortName> {
  readonly name: Name;
  readonly version: number;
  readonly summary: string;
  readonly params: Params;
  readonly needs?: readonly Needs[];
  readonly files?: (params: z.output<Params>) => readonly string[];
  readonly environment?: readonly string[];
  readonly pool?: string;
  readonly retry?: RetryPolicy;
  readonly timeouts?: Timeouts;
}

/** Reads the place of the caller's caller, as a path. */
function callerPlace(): Place {
  const site = getCallSites(3)[2];
  return { file: site?.scriptName.replace(/^file:\/\//, '') ?? '', line: site?.lineNumber ?? 0 };
}

function basics(declaration: Declaration<string, z.ZodType, PortName>) {
  return {
    needs: declaration.needs ?? [],
    environment: declaration.environment ?? [],
    files: declaration.files as StepBasics['files'],
    pool: declaration.pool,
    retry: declaration.retry,
    timeouts: declaration.timeouts,
  };
}

/** Defines a step: what it takes, what it makes, what it needs, and how. With `effect` it is an effect step, which must `observe`. */
export function defineStep<
  const Name extends string,
  Params extends z.ZodType,
  const Inputs extends Artifacts,
  const Outputs extends Artifacts,
  const Needs extends PortName = never,
  const RowSteps extends RowStepRecord = Record<never, never>,
>(
  declaration: Declaration<Name, Params, Needs> & {
    readonly inputs: Inputs;
    readonly outputs: Outputs;
    readonly rows?: RowSteps;
    readonly observe?: (context: {
      readonly params: z.output<Params>;
      readonly ports: Tools<Needs>['ports'];
      readonly inputDigests: { readonly [Key in keyof Inputs]: string };
    }) => Promise<string>;
    readonly effect?: (params: z.output<Params>) => string;
    readonly run: (context: StepContext<z.output<Params>, Inputs, Outputs, Needs, RowSteps>) => Promise<void>;
  },
): Step<Name, Inputs, Outputs> {
  const place = callerPlace();
  if (declaration.effect && !declaration.observe) throw new TypeError(`Effect step ${declaration.name} must say how to observe its target`);
  return {
    kind: 'step',
    name: declaration.name,
    version: declaration.version,
    summary: declaration.summary,
    place,
    params: declaration.params,
    ...basics(declaration as unknown as Declaration<string, z.ZodType, PortName>),
    inputs: declaration.inputs,
    outputs: declaration.outputs,
    rows: declaration.rows ?? {},
    effect: declaration.effect,
    observe: declaration.observe,
    run: declaration.run,
  };
}

/** Defines a map step: `run` for one row at a time, or `runBatch` for several with one result a row. */
export function defineMapStep<
  const Name extends string,
  Params extends z.ZodType,
  In,
  Out,
  const InName extends string,
  const OutName extends string,
  const Needs extends PortName = never,
>(
  declaration: Declaration<Name, Params, Needs> & {
    readonly input: RowsArtifact<InName, In>;
    readonly output: RowsArtifact<OutName, Out>;
  } & (
      | {
          readonly run: (context: RowContext<In, z.output<Params>, Needs>) => Mapped<Out> | Promise<Mapped<Out>>;
          readonly runBatch?: never;
        }
      | {
          readonly runBatch: (
            context: Omit<RowContext<In, z.output<Params>, Needs>, 'row'> & { readonly rows: readonly In[] },
          ) => Promise<readonly Mapped<Out>[]>;
          readonly run?: never;
        }
    ),
): MapStep<Name, In, Out, InName, OutName> {
  const place = callerPlace();
  return {
    kind: 'map',
    name: declaration.name,
    version: declaration.version,
    summary: declaration.summary,
    place,
    params: declaration.params,
    ...basics(declaration as unknown as Declaration<string, z.ZodType, PortName>),
    input: declaration.input,
    output: declaration.output,
    run: declaration.run,
    runBatch: declaration.runBatch,
  };
}

/** Defines a step whose work a Python job does; its params, inputs and outputs are the job's own. */
export function defineJobStep<
  const Name extends string,
  const Job extends JobName,
  const Inputs extends Readonly<Record<(typeof jobs)[Job]['inputs'][number], AnyArtifact>>,
  const Outputs extends Readonly<Record<(typeof jobs)[Job]['outputs'][number], AnyArtifact>>,
>(
  declaration: Omit<Declaration<Name, z.ZodType, never>, 'needs' | 'files'> & {
    readonly job: Job;
    readonly inputs: Inputs;
    readonly outputs: Outputs;
  },
): JobStep<Name, Inputs, Outputs> {
  const place = callerPlace();
  return {
    kind: 'job',
    name: declaration.name,
    version: declaration.version,
    summary: declaration.summary,
    place,
    params: declaration.params,
    ...basics(declaration),
    needs: ['jobLauncher'],
    job: declaration.job,
    inputs: declaration.inputs,
    outputs: declaration.outputs,
  };
}

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
