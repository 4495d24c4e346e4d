import type { ArtifactReference } from '../contracts/artifact.ts';
import { digestOf } from '../contracts/digest.ts';
import type { CheckResult } from '../contracts/run.ts';
import { checksTable } from '../history/tables.ts';
import type { Check, CheckVerdict } from './checks.ts';
import { problemOf } from './failure.ts';
import type { GraphNode } from './graph.ts';
import { openInput } from './inputs.ts';
import type { RunContext, Settled } from './run-context.ts';

/**
 * Checks what a step made, now or earlier: whatever was said of the same content by the same code is taken over,
 * so that a hit is checked again only where the check itself has changed.
 */
export async function runChecks(context: RunContext, node: GraphNode, settled: Settled): Promise<Settled> {
  if (node.checks.length === 0 || settled.artifacts === null) return settled;
  if (settled.outcome !== 'succeeded' && settled.outcome !== 'cached') return settled;
  const checks: CheckResult[] = [];
  for (const { output, check } of node.checks) checks.push(await resultOf(context, node, check, output, settled.artifacts[output]!));
  const refusals = checks
    .filter(({ ok, level }) => !ok && level === 'blocking')
    .map(({ name, output, expected, found }) => `check ${name} of ${output}: expected ${expected}, found ${found}`);
  return { ...settled, checks, refusal: refusals.length > 0 ? [...(settled.refusal ?? []), ...refusals] : settled.refusal };
}

async function resultOf(
  context: RunContext,
  node: GraphNode,
  check: Check,
  output: string,
  reference: ArtifactReference,
): Promise<CheckResult> {
  const { metadata, artifacts } = context.stores;
  const { name, level } = check;
  const code = await context.hasher.hash(check.place.file);
  const key = digestOf({ name, code: code.ok ? code.value : null, digest: reference.digest });
  const said = (verdict: CheckVerdict, cached: boolean): CheckResult => ({
    name,
    output,
    level,
    ok: verdict.ok,
    expected: verdict.ok ? null : verdict.expected,
    found: verdict.ok ? null : verdict.found,
    cached,
  });
  if (!check.timed && code.ok) {
    const [row] = await metadata.get(checksTable, [key]);
    if (row) return said(row.row as unknown as CheckVerdict, true);
  }
  try {
    const artifact = await openInput(check.artifact, reference, artifacts);
    const verdict = await check.run({ artifact, now: context.now(), signal: context.signal } as never);
    if (!check.timed) await metadata.putMany(checksTable, [{ key, expectedRevision: null, row: verdict }]);
    return said(verdict, false);
  } catch (error) {
    context.signal.throwIfAborted();
    const { message } = problemOf(error, `${node.address}, check ${name}`);
    return said({ ok: false, expected: 'a check that can be done', found: message }, false);
  }
}
