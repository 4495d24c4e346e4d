/** What one seed came to: what was done, and every invariant that did not hold. */
export interface SoakOutcome {
  /** `41 kills, 12 runs`: what a person wants to know of a seed that passed. */
  readonly did: string;
  readonly violations: readonly string[];
}

/** Injects faults that follow from the seed alone, and checks what must hold; heeds the signal between two faults. */
export type Soak = (seed: number, surroundings: { readonly folder: string; readonly signal: AbortSignal }) => Promise<SoakOutcome>;
