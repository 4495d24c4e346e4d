import type { AnyArtifact, ArtifactReference } from '../contracts/artifact.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { AnyStep } from './define.ts';
import { readJson } from './inputs.ts';
import { outputsOf } from './step-shape.ts';

/** Why the verdicts of a step refuse the run; null where none does. Under a strict gate, a verdict of fail or undecided refuses too. */
export async function refusalOf(
  step: AnyStep,
  references: Readonly<Record<string, ArtifactReference>>,
  gate: 'default' | 'strict',
  store: ArtifactStore,
): Promise<readonly string[] | null> {
  for (const [name, artifact] of Object.entries(outputsOf(step))) {
    if (!isGate(artifact)) continue;
    const { verdict, reasons } = (await readJson(references[name]!, store)) as { verdict: string; reasons: readonly string[] };
    if (verdict === 'refuse' || (gate === 'strict' && verdict !== 'pass'))
      return reasons.length > 0 ? reasons : [`${artifact.name}: ${verdict}`];
  }
  return null;
}

function isGate(artifact: AnyArtifact): boolean {
  return artifact.kind === 'json' && artifact.gate === true;
}
