import { relative } from 'node:path';
import type { PlannedStep } from '../contracts/run.ts';
import type { AnyStep, Artifacts } from './define.ts';
import type { Place } from './place.ts';

/** The inputs of any kind of step by name; a map step's only one is called `input`. */
export function inputsOf(step: AnyStep): Artifacts {
  return step.kind === 'map' ? { input: step.input } : (step.inputs as Artifacts);
}

/** The outputs of any kind of step by name; a map step's only one is called `output`. */
export function outputsOf(step: AnyStep): Artifacts {
  return step.kind === 'map' ? { output: step.output } : (step.outputs as Artifacts);
}

/** The kind of a step as plans and journals name it. */
export function kindOf(step: AnyStep): PlannedStep['kind'] {
  return step.kind === 'step' && step.effect ? 'effect' : step.kind;
}

const shownFiles = new Map<string, string>();

/** A place as `file:line`, relative to the working directory where it lies within. */
export function placeText(place: Place): string {
  let shown = shownFiles.get(place.file);
  if (shown === undefined) {
    const fromHere = relative(process.cwd(), place.file);
    shown = fromHere.startsWith('..') ? place.file : fromHere;
    shownFiles.set(place.file, shown);
  }
  return `${shown}:${place.line}`;
}
