import type { ArtifactReference } from '../contracts/artifact.ts';
import type { RunEvent } from '../contracts/events/run.ts';
import type { Problem } from '../contracts/problem.ts';
import type { CheckResult, FingerprintParts, StepOutcome, StepReason, StepResult } from '../contracts/run.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { PortName, PortSource } from '../ports/ports.ts';
import type { Claims } from './claims.ts';
import type { AttemptTurn } from './attempts.ts';
import type { CodeHasher } from './code-hash.ts';
import type { Dispatch } from './dispatch/offer.ts';
import type { PreparedNode } from './fingerprint.ts';
import type { Journal } from './journal.ts';
import type { Limiter } from './limits.ts';
import type { LeaseClient } from './locks.ts';
import type { Results } from './results.ts';
import type { RunOptions } from './run-options.ts';
import type { Slice } from './slice.ts';

/** Where a run keeps things: the journal, the caches that may be emptied, the artifacts. */
export interface Stores {
  readonly metadata: MetadataStore;
  readonly cache: MetadataStore;
  readonly artifacts: ArtifactStore;
}

/** How a step of this run ended, and what it left. */
export interface Settled {
  readonly outcome: StepOutcome;
  readonly reason: StepReason | null;
  /** What dependants read; null where there is nothing to read. */
  readonly artifacts: Readonly<Record<string, ArtifactReference>> | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly key: string | null;
  readonly parts: FingerprintParts | null;
  readonly problem: Problem | null;
  /** Why the step's verdict refuses the run; null where it does not. */
  readonly refusal: readonly string[] | null;
  /** Some rows failed: no later run takes the result for a hit. */
  readonly partial?: boolean;
  /** An earlier run made the result and died before its journal said so. */
  readonly unjournaled?: boolean;
  /** What was checked of its outputs. */
  readonly checks?: readonly CheckResult[];
  /** The step did not heed its signal in time and may be going on. */
  readonly leftBehind?: boolean;
}

/** A run that another one builds on. */
export interface BaseRun {
  readonly run: string;
  /** What its steps left, by address. */
  readonly results: ReadonlyMap<string, StepResult>;
  /** Its steps are taken over as they saw the outside then; without it, they only lend what the run leaves out. */
  readonly resume: boolean;
}

/** All that the parts of the executor share in one run. */
export interface RunContext {
  readonly run: string;
  /** Milliseconds by the metadata store's clock. */
  now(): number;
  readonly prepared: ReadonlyMap<string, PreparedNode>;
  readonly stores: Stores;
  readonly ports: PortSource;
  readonly emit: (event: RunEvent) => void;
  readonly signal: AbortSignal;
  readonly options: RunOptions;
  readonly slice: Slice;
  readonly journal: Journal;
  readonly results: Results;
  readonly leases: LeaseClient;
  /** The run that this one continues or forks. */
  readonly base: BaseRun | null;
  readonly settled: Map<string, Settled>;
  /** Room for steps that work at once: all of them, and by pool. */
  readonly room: { readonly all: Limiter; pool(name: string): Limiter };
  /** How steps are handed to workers on other hosts; null where all are done here. */
  readonly dispatch: Dispatch | null;
  /** Keys that are being made now, so that two steps with one key do the work once. */
  readonly inFlight: Map<string, Promise<unknown>>;
  /** Keys that this process makes, against other processes. */
  readonly claims: Claims;
  readonly hasher: CodeHasher;
  /** Digests whose parts are known to be kept. */
  readonly kept: Set<string>;
  /** A step has failed and the run does not keep going. */
  stopped: boolean;
  /** Targets of effects that were left behind: nobody else may touch them before this process has ended. */
  readonly abandoned: Set<string>;
}

/** What a step's work comes to. */
export interface Made {
  readonly artifacts: Readonly<Record<string, ArtifactReference>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Some rows failed, as the step tolerates: this run goes on with it, and the next one tries again. */
  readonly partial?: boolean;
}

/** One try of a step's work. */
export interface Attempt extends AttemptTurn {
  readonly context: RunContext;
  readonly prepared: PreparedNode;
  readonly inputs: Readonly<Record<string, ArtifactReference>>;
  readonly parts: FingerprintParts;
  readonly key: string;
  /** Waits for a turn at the rate of the step's pool. */
  readonly throttle: (() => Promise<void>) | null;
}

/** Opens the ports that a step needs, by name. */
export async function openPorts(source: PortSource, needs: readonly PortName[]): Promise<Record<string, unknown>> {
  const opened: Record<string, unknown> = {};
  for (const name of needs) opened[name] = await source.open(name);
  return opened;
}

/** The digests of inputs by name. */
export function digestsOf(inputs: Readonly<Record<string, ArtifactReference>>): Record<string, string> {
  const digests: Record<string, string> = {};
  for (const [name, reference] of Object.entries(inputs)) digests[name] = reference.digest;
  return digests;
}
