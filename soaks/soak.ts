/** What one seed came to: what was done, and every invariant that did not hold. */
export interface SoakOutcome {
  /** `41 kills, 12 runs`: what a person wants to know of a seed that passed. */
  readonly did: string;
  readonly violations: readonly string[];
}

/** What a soak has to work with. */
export interface SoakSurroundings {
  /** Its own, empty, and kept where an invariant was violated. */
  readonly folder: string;
  /** Aborts when the time is over; heeded between two faults. */
  readonly signal: AbortSignal;
  /** Hears how many of all faults of a part are behind, as each of them ends. */
  readonly progress: Progress;
}

/** `('points of a run', 12, 96)`: 12 of 96 are done. */
export type Progress = (part: string, done: number, all: number) => void;

/** Injects faults that follow from the seed alone, and checks what must hold. */
export type Soak = (seed: number, surroundings: SoakSurroundings) => Promise<SoakOutcome>;
