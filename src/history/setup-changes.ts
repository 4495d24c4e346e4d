import type { PartChange } from '../contracts/plan.ts';
import type { PlannedStep, RunSetup } from '../contracts/run.ts';
import { memberChanges } from './members.ts';

/** A step that is not set up as it was. */
export interface SetupChange {
  readonly address: string;
  /** `null` where the step itself came or went. */
  readonly changes: readonly PartChange[] | null;
}

/** Steps whose code, version, params, declared files or variables differ between two runs, and those that only one of them has. */
export function setupChanges(
  before: { readonly setup: RunSetup; readonly steps: readonly PlannedStep[] },
  after: { readonly setup: RunSetup; readonly steps: readonly PlannedStep[] },
): readonly SetupChange[] {
  const [earlier, later] = [
    new Map(before.steps.map((step) => [step.address, step])),
    new Map(after.steps.map((step) => [step.address, step])),
  ];
  const found: SetupChange[] = [];
  for (const address of new Set([...earlier.keys(), ...later.keys()])) {
    const [was, is] = [earlier.get(address), later.get(address)];
    if (!was || !is) found.push({ address, changes: null });
    else {
      const changes = [
        ...codeChanges(before.setup.code[was.step], after.setup.code[is.step], null),
        ...partsUnder(before.setup, after.setup, address, null),
        ...drivenChanges(before.setup, after.setup, address),
      ];
      if (changes.length > 0) found.push({ address, changes });
    }
  }
  return found;
}

/** Changes in the map steps that a step drives. */
function drivenChanges(before: RunSetup, after: RunSetup, address: string): PartChange[] {
  const names = new Set([...(before.driven?.[address] ?? []), ...(after.driven?.[address] ?? [])]);
  const changes: PartChange[] = [];
  for (const name of names) {
    changes.push(...codeChanges(before.code[name], after.code[name], name), ...partsUnder(before, after, `${address}.${name}`, name));
  }
  return changes;
}

function codeChanges(
  before: RunSetup['code'][string] | undefined,
  after: RunSetup['code'][string] | undefined,
  name: string | null,
): PartChange[] {
  const [from, to] = [before ?? { version: 0, code: '' }, after ?? { version: 0, code: '' }];
  const changes: PartChange[] = [];
  if (from.version !== to.version) changes.push({ part: 'version', name, before: from.version, after: to.version });
  if (from.code !== to.code) changes.push({ part: 'code', name, before: from.code, after: to.code });
  return changes;
}

/** Differences of params, files and variables at an address. */
function partsUnder(before: RunSetup, after: RunSetup, address: string, within: string | null): PartChange[] {
  return (['params', 'files', 'environment'] as const).flatMap((part) => {
    const [from, to] = [before[part][address] ?? {}, after[part][address] ?? {}];
    return memberChanges(from as never, to as never).map(({ path, before: was, after: is }): PartChange => ({
      part,
      name: within === null ? path : `${within}.${path}`,
      before: was,
      after: is,
    }));
  });
}
