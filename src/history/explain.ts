import type { CodeDifference } from '../contracts/difference.ts';
import type { CodeParts, DigestParts } from '../contracts/digest-parts.ts';
import type { PartChange } from '../contracts/plan.ts';
import type { PlannedStep, StepResult } from '../contracts/run.ts';
import type { ExplainedChange } from '../contracts/why.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { compareArtifacts } from './compare-artifacts.ts';
import { producersOf, referenceIn } from './producers.ts';
import { digestPartsTable } from './tables.ts';
import { changesBetween } from './why.ts';

/** What an explanation is made from. */
export interface ExplainSources {
  readonly metadata: MetadataStore;
  readonly artifacts: ArtifactStore;
  /** The steps as they are wired now: they tell which step made an input. */
  readonly steps: readonly PlannedStep[];
  /** What digests were made of that no run has kept yet: of code as it is now. */
  readonly fresh?: (digest: string) => Promise<DigestParts | null>;
  /** Where a param was given then, and is given now, by `<step>.<param>`. */
  readonly origins?: (address: string) => { readonly before: string | null; readonly after: string | null };
}

/** Says of each part that changed how it came to that: modules of code, members of what a step drives, rows of inputs and the steps that made them. */
export function explainChanges(sources: ExplainSources, step: string, changes: readonly PartChange[]): Promise<readonly ExplainedChange[]> {
  const wiring = new Map(sources.steps.map(({ address, inputs }) => [address, inputs]));
  return explainAll({ ...sources, wiring, known: new Map() }, step, changes);
}

interface Explaining extends ExplainSources {
  readonly wiring: ReadonlyMap<string, PlannedStep['inputs']>;
  /** An input that several steps read is explained once. */
  readonly known: Map<string, Promise<Pick<ExplainedChange, 'content' | 'cause'>>>;
}

async function explainAll(explaining: Explaining, address: string, changes: readonly PartChange[]): Promise<readonly ExplainedChange[]> {
  const explained: ExplainedChange[] = [];
  for (const change of changes) explained.push(await explain(explaining, address, change));
  return explained;
}

async function explain(explaining: Explaining, address: string, change: PartChange): Promise<ExplainedChange> {
  const { part, name, before, after } = change;
  const bare: ExplainedChange = { ...change, origin: null, code: null, within: [], content: null, cause: null };
  switch (part) {
    case 'params':
      return { ...bare, origin: explaining.origins?.(`${address}.${name ?? ''}`) ?? null };
    case 'code':
    case 'extra': {
      const [from, to] = [await partsOf(explaining, before), await partsOf(explaining, after)];
      if (from === null || to === null) return bare;
      if ('code' in from && 'code' in to) return { ...bare, code: codeDifference(from.code, to.code) };
      if (!('step' in from) || !('step' in to)) return bare;
      return { ...bare, within: await explainAll(explaining, `${address}.${to.step.step}`, changesBetween(from.step, to.step)) };
    }
    case 'inputs': {
      if (typeof before !== 'string' || typeof after !== 'string') return bare;
      const wire = explaining.wiring.get(address)?.[name ?? ''];
      const pair = `${before} ${after} ${wire}`;
      let input = explaining.known.get(pair);
      if (!input) explaining.known.set(pair, (input = explainInput(explaining, wire, before, after)));
      return { ...bare, ...(await input) };
    }
    default:
      return bare;
  }
}

async function explainInput(
  explaining: Explaining,
  wire: string | undefined,
  before: string,
  after: string,
): Promise<Pick<ExplainedChange, 'content' | 'cause'>> {
  const maker = wire?.slice(0, wire.lastIndexOf('.'));
  const [earlier, later] = [await makersOf(explaining, before, maker), await makersOf(explaining, after, maker)];
  if (earlier.length === 0 || later.length === 0) return { content: null, cause: null };
  const content = await compareArtifacts(referenceIn(earlier[0]!, before)!, referenceIn(later[0]!, after)!, explaining.artifacts);
  const nearest = nearestPair(earlier, later);
  if (!nearest) return { content, cause: null };
  const { result, changes } = nearest;
  const step = maker ?? result.address;
  return { content, cause: { step, run: result.run, changes: await explainAll(explaining, step, changes) } };
}

/** The results that hold an artifact: those of the step that is wired as its maker, where there are such. */
async function makersOf({ metadata }: Explaining, digest: string, maker: string | undefined): Promise<readonly StepResult[]> {
  const results = await producersOf(metadata, digest);
  const own = results.filter((result) => result.address === maker);
  return own.length > 0 ? own : results;
}

/** The same content may have been made under several keys: of all pairs, the one that differs least. */
function nearestPair(
  earlier: readonly StepResult[],
  later: readonly StepResult[],
): { readonly result: StepResult; readonly changes: readonly PartChange[] } | null {
  const pairs = later.flatMap((result) =>
    earlier.filter((other) => other.step === result.step).map((other) => ({ result, changes: changesBetween(other.parts, result.parts) })),
  );
  return pairs.toSorted((left, right) => left.changes.length - right.changes.length)[0] ?? null;
}

async function partsOf({ metadata, fresh }: Explaining, digest: unknown): Promise<DigestParts | null> {
  if (typeof digest !== 'string') return null;
  const [row] = await metadata.get(digestPartsTable, [digest]);
  return row ? (row.row as unknown as DigestParts) : ((await fresh?.(digest)) ?? null);
}

/** Modules and packages in which two states of code differ. */
export function codeDifference(before: CodeParts, after: CodeParts): CodeDifference {
  const paths = [...new Set([...Object.keys(before.modules), ...Object.keys(after.modules)])].toSorted();
  const names = [...new Set([...Object.keys(before.packages), ...Object.keys(after.packages)])].toSorted();
  return {
    modules: paths
      .filter((path) => before.modules[path] !== after.modules[path])
      .map((path) => ({ path, change: !(path in before.modules) ? 'added' : !(path in after.modules) ? 'removed' : 'changed' })),
    packages: names
      .filter((name) => before.packages[name] !== after.packages[name])
      .map((name) => ({ name, before: before.packages[name] ?? null, after: after.packages[name] ?? null })),
  };
}
