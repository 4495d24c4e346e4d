import { AsyncLocalStorage } from 'node:async_hooks';

/** The attempt of a step that the running code belongs to: whatever it prints is put down to it. */
export interface StepScope {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  /** Fails the attempt from outside of its own promise: for what its code threw where nobody waited for it. */
  readonly fail: (error: unknown) => void;
}

/** Set around the code of each attempt. */
export const stepScope = new AsyncLocalStorage<StepScope>();
