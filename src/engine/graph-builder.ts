import type { Problem } from '../contracts/problem.ts';
import type { AnyPipeline, AnyStep, Handle, Handles, PipelineBuilder, When, Wiring } from './define.ts';
import type { Check } from './checks.ts';
import { type Place, callerPlace } from './place.ts';
import { outputsOf, placeText } from './step-shape.ts';

/** A step as `build` wired it, not yet checked. */
export interface WiredStep {
  readonly address: string;
  readonly step: AnyStep;
  readonly inputs: Readonly<Record<string, Handle | undefined>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly when: When<unknown> | undefined;
  after: readonly (Handle | undefined)[];
  readonly tags: readonly string[];
  readonly place: Place;
  readonly cleanup: { readonly withinMs: number } | undefined;
  /** What its outputs are checked for. */
  readonly checks: { readonly output: string; readonly check: Check }[];
}

/** A loop is unrolled into steps, so it has a bound. */
const mostRounds = 100;

type AnyHandles = Handles<Record<string, never>>;

/** Runs a pipeline's `build` and notes every step with its wiring; mistakes that only show here are returned beside them. */
export function wire(pipeline: AnyPipeline): { readonly steps: readonly WiredStep[]; readonly problems: readonly Problem[] } {
  const steps: WiredStep[] = [];
  const problems: Problem[] = [];
  const uses = new Map<string, Place>();

  const builderAt = (prefix: string, round = ''): PipelineBuilder => ({
    step: (step: AnyStep, wired: unknown, wiring: Wiring<unknown> = {}) => {
      const address = `${prefix}${wiring.as ?? step.name}${round}`;
      const inputs = step.kind === 'map' ? { input: wired as Handle | undefined } : ((wired ?? {}) as Record<string, Handle | undefined>);
      const { params = {}, when, after = [], tags = [], cleanup } = wiring;
      steps.push({ address, step, inputs, params, when, after, tags, cleanup, place: callerPlace(), checks: [] });
      const handles = Object.fromEntries(
        Object.entries(outputsOf(step)).map(([output, artifact]) => [output, { step: address, output, artifact } satisfies Handle]),
      );
      return (step.kind === 'map' ? handles['output'] : handles) as never;
    },
    use: (used: AnyPipeline, inputs: object, wiring: { readonly as?: string; readonly after?: readonly Handle[] } = {}) => {
      const inner = `${prefix}${wiring.as ?? used.name}${round}.`;
      const place = callerPlace();
      const earlier = uses.get(inner);
      if (earlier) problems.push(usedTwice(inner.slice(0, -1), earlier, place));
      uses.set(inner, place);
      const start = steps.length;
      const result: unknown = used.build(builderAt(inner), inputs);
      const added = earlier ? steps.splice(start) : steps.slice(start);
      const own = new Set(added.map((step) => step.address));
      for (const step of added) {
        if (wiring.after && !dependsOn(step, own)) step.after = [...step.after, ...wiring.after];
      }
      return result as never;
    },
    check: (handle: Handle | undefined, check: Check) => {
      const step = steps.find(({ address }) => address === handle?.step);
      const artifact = step && outputsOf(step.step)[handle!.output];
      if (artifact?.kind === check.artifact.kind && artifact.name === check.artifact.name) {
        step!.checks.push({ output: handle!.output, check });
      } else problems.push(cannotCheck(check, handle, callerPlace()));
    },
    loop: (rounds, start, body) => {
      if (!Number.isInteger(rounds) || rounds < 1 || rounds > mostRounds) {
        problems.push(unbounded(rounds, callerPlace()));
        return start;
      }
      let value = start;
      for (let at = 1; at <= rounds; at++) value = body(builderAt(prefix, `${round}#${at}`), value, at);
      return value;
    },
  });

  try {
    pipeline.build(builderAt(''), {} as AnyHandles);
  } catch (error) {
    problems.push({
      reason: 'build-failed',
      message: `Pipeline ${pipeline.name} cannot be built: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'build() may only wire steps; see the stack of the error with --verbose',
      exit: 2,
    });
  }
  return { steps, problems };
}

/** Every handle that a wired step refers to. */
export function handlesOf(step: WiredStep): readonly (Handle | undefined)[] {
  return [...Object.values(step.inputs), ...(step.when ? [step.when[0]] : []), ...step.after];
}

function dependsOn(step: WiredStep, addresses: ReadonlySet<string>): boolean {
  return handlesOf(step).some((handle) => handle !== undefined && addresses.has(handle.step));
}

function usedTwice(name: string, earlier: Place, place: Place): Problem {
  return {
    reason: 'duplicate-address',
    message: `Pipeline ${name} is used twice under the same name`,
    where: placeText(place),
    found: `first used at ${placeText(earlier)}`,
    hint: "Give one of them another name: use(…, { as: 'name' })",
    exit: 2,
  };
}

function unbounded(rounds: number, place: Place): Problem {
  return {
    reason: 'loop-unbounded',
    message: 'A loop needs a number of rounds that is known when the pipeline is built',
    where: placeText(place),
    expected: `a whole number from 1 to ${mostRounds}`,
    found: String(rounds),
    hint: 'Fan-out that depends on data belongs in a map step',
    exit: 2,
  };
}

function cannotCheck({ name, artifact }: Check, handle: Handle | undefined, place: Place): Problem {
  return {
    reason: 'check-mismatch',
    message: `Check ${name} is not for what it is wired to`,
    where: placeText(place),
    expected: `${artifact.kind} ${artifact.name}`,
    found: handle ? `${handle.step}.${handle.output}` : 'nothing',
    hint: 'Wire only handles that pipeline.step or pipeline.use returned in this build',
    exit: 2,
  };
}
