import type { z } from 'zod';
import type { AnyArtifact, RowsArtifact } from '../contracts/artifact.ts';
import type { JobName, jobs } from '../contracts/jobs.ts';
import type { PortName, Ports } from '../ports/ports.ts';
import { type Place, callerPlace } from './place.ts';
import type { RetryPolicy, Timeouts } from './policies.ts';
import type { InputOf, Mapped, OutputOf } from './values.ts';

export { type Check, type CheckVerdict, defineCheck } from './checks.ts';
export { definePipeline } from './define-pipeline.ts';
export type { AnyPipeline, ConditionOutcome, Handle, Handles, Pipeline, PipelineBuilder, When, Wiring } from './define-pipeline.ts';
export type { RetryPolicy, Timeouts } from './policies.ts';
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
  /** Names the group of a row: the step then maps a group at a time. Rows of a group follow one another in the input. */
  readonly groupBy: ((row: never, params: never) => string) | undefined;
  readonly runGroup: ((context: never) => Mapped<Out> | Promise<Mapped<Out>>) | undefined;
  /** The share of rows, 0 to 1, that may fail without failing the step. */
  readonly tolerate: ((params: never) => number) | undefined;
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

/** Defines a map step: `run` for one row at a time, `runBatch` for several with one result a row, or `groupBy` with `runGroup` for a group at a time. */
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
    readonly tolerate?: (params: z.output<Params>) => number;
  } & (
      | {
          readonly run: (context: RowContext<In, z.output<Params>, Needs>) => Mapped<Out> | Promise<Mapped<Out>>;
          readonly runBatch?: never;
          readonly groupBy?: never;
        }
      | {
          readonly groupBy: (row: In, params: z.output<Params>) => string;
          readonly runGroup: (
            context: Omit<RowContext<In, z.output<Params>, Needs>, 'row'> & { readonly group: string; readonly rows: readonly In[] },
          ) => Mapped<Out> | Promise<Mapped<Out>>;
          readonly run?: never;
          readonly runBatch?: never;
        }
      | {
          readonly runBatch: (
            context: Omit<RowContext<In, z.output<Params>, Needs>, 'row'> & { readonly rows: readonly In[] },
          ) => Promise<readonly Mapped<Out>[]>;
          readonly run?: never;
          readonly groupBy?: never;
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
    groupBy: declaration.groupBy,
    runGroup: declaration.groupBy === undefined ? undefined : declaration.runGroup,
    tolerate: declaration.tolerate,
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
