import type { RunSetup } from '../contracts/run.ts';
import type { SweepPlace } from '../contracts/sweep.ts';
import { type PreparedNode, type StaticParts } from './fingerprint.ts';
import type { RunOptions } from './run-options.ts';

/** What the command line said beyond what the engine is told, and where params were given. */
export interface GivenSettings {
  /** `<address>=<value>`, as `--set` gave them. */
  readonly set?: readonly string[];
  readonly strict?: boolean;
  /** The step at which the run forks another. */
  readonly forkedAt?: string;
  /** The variant of a sweep that the run is. */
  readonly sweep?: SweepPlace;
  /** Where the params were given that are not defaults, by `<step>.<param>`. */
  readonly origins?: Readonly<Record<string, string>>;
}

/** How a run was set up, for whoever continues it, forks it or asks what differs: a step without params, files and variables takes no room. */
export function setupOf(prepared: ReadonlyMap<string, PreparedNode>, options: RunOptions, given: GivenSettings): RunSetup {
  const code: RunSetup['code'] = {};
  const names: NonNullable<RunSetup['driven']> = {};
  const params: RunSetup['params'] = {};
  const files: RunSetup['files'] = {};
  const environment: RunSetup['environment'] = {};
  const note = (address: string, parts: StaticParts): void => {
    code[parts.step.name] ??= { version: parts.step.version, code: parts.code };
    if (!isEmpty(parts.params)) params[address] = parts.params as RunSetup['params'][string];
    if (!isEmpty(parts.files)) files[address] = parts.files;
    if (!isEmpty(parts.environment)) environment[address] = parts.environment;
  };
  for (const [address, { own, driven }] of prepared) {
    note(address, own);
    const steps = Object.values(driven);
    if (steps.length > 0) names[address] = steps.map(({ step }) => step.name);
    for (const parts of steps) note(`${address}.${parts.step.name}`, parts);
  }
  const { from = null, to = null, only = [], tags = [], force = [], keepGoing = false, gate = 'default' } = options;
  const { set = [], strict = false, origins = {}, forkedAt, sweep } = given;
  const asked = { set, strict, origins, from, to, only, tags, force, keepGoing, gate };
  const part = { ...(forkedAt !== undefined && { forkedAt }), ...(sweep && { sweep }) };
  return { ...asked, ...part, code, driven: names, params, files, environment };
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === undefined;
  for (const name in value) if (Object.hasOwn(value, name)) return false;
  return true;
}
