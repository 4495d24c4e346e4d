import type { PortSource } from '../ports/ports.ts';
import type { PreparedNode } from './fingerprint.ts';
import { openPorts } from './run-context.ts';

/** Whether a step looks at outside state. */
export function observes({ node: { step } }: PreparedNode): boolean {
  return step.kind === 'step' && step.observe !== undefined;
}

/** The token of the outside state that a step reads or changes; null for a step that has none. */
export async function observe(
  prepared: PreparedNode,
  inputDigests: Readonly<Record<string, string>>,
  source: PortSource,
): Promise<string | null> {
  const { step } = prepared.node;
  if (step.kind !== 'step' || !step.observe) return null;
  const ports = await openPorts(source, step.needs);
  return (step.observe as (context: unknown) => Promise<string>)({ params: prepared.params.params, ports, inputDigests });
}
