import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { PortSource } from '../ports/ports.ts';
import { mapIdentity, type PreparedNode } from './fingerprint.ts';
import { type MapSurroundings, rowByRow } from './map-rows.ts';
import { openRowCache } from './row-cache.ts';
import { openPorts } from './run-context.ts';

/** What the map steps of a step work with, inside a run or outside of one. */
export interface DrivenSurroundings {
  readonly stores: { readonly cache: MetadataStore; readonly artifacts: ArtifactStore };
  readonly ports: PortSource;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
  readonly count: (name: string, amount: number) => void;
  /** Signs of life and the rate of a pool, as a run has them. */
  readonly beat?: MapSurroundings['beat'];
  readonly throttle?: MapSurroundings['throttle'];
}

const noBeat = (): void => undefined;

/** The map steps that a step drives itself, by their key, each through its row cache and with its identity. */
export async function drivenRows(prepared: PreparedNode, surroundings: DrivenSurroundings): Promise<Record<string, unknown>> {
  const { stores, ports: source, signal, log, count, beat = noBeat, throttle = null } = surroundings;
  const driven: Record<string, unknown> = {};
  for (const [key, parts] of Object.entries(prepared.driven)) {
    if (parts.step.kind !== 'map') continue;
    const step = parts.step as MapSurroundings['step'];
    const identity = await mapIdentity(parts, source);
    let ports: Promise<Record<string, unknown>> | undefined;
    const mapRow = rowByRow({
      address: `${prepared.node.address}.${step.name}`,
      step,
      params: parts.params,
      cache: openRowCache(stores.cache, stores.artifacts, step.name, identity),
      ports: () => (ports ??= openPorts(source, step.needs)),
      signal,
      beat,
      throttle,
      log,
      count: (name, amount) => count(`${key}: ${name}`, amount),
      forced: false,
    });
    driven[key] = Object.assign(mapRow, { identity });
  }
  return driven;
}
