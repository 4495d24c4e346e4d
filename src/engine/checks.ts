import type { AnyArtifact } from '../contracts/artifact.ts';
import { type Place, callerPlace } from './place.ts';
import type { InputOf } from './values.ts';

/** What a check found. */
export type CheckVerdict = { readonly ok: true } | { readonly ok: false; readonly expected: string; readonly found: string };

/** What a check looks at. */
export interface CheckContext<Artifact extends AnyArtifact> {
  readonly artifact: InputOf<Artifact>;
  /** Milliseconds by the metadata store's clock. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** Something that must hold, or should, of an artifact. It is no part of any key: editing it makes no step run again, only itself. */
export interface Check<Artifact extends AnyArtifact = AnyArtifact> {
  readonly kind: 'check';
  readonly name: string;
  readonly summary: string;
  /** `blocking`: what does not hold refuses the run. `warning`: it is told. */
  readonly level: 'blocking' | 'warning';
  readonly artifact: Artifact;
  readonly place: Place;
  /** What it says depends on when it is asked, so that it is asked each time. */
  readonly timed: boolean;
  readonly run: (context: never) => CheckVerdict | Promise<CheckVerdict>;
}

interface CheckBasics<Artifact extends AnyArtifact> {
  readonly name: string;
  readonly summary: string;
  readonly level: 'blocking' | 'warning';
  readonly artifact: Artifact;
}

/**
 * Defines a check of an artifact: by `run`, or by the age of its data, which is that of the newest time in the data itself
 * and never that of the run which made it.
 */
export function defineCheck<const Artifact extends AnyArtifact>(
  declaration: CheckBasics<Artifact> &
    (
      | { readonly run: (context: CheckContext<Artifact>) => CheckVerdict | Promise<CheckVerdict>; readonly newest?: never }
      | {
          /** Milliseconds of the newest data; null where there is none. */
          readonly newest: (context: CheckContext<Artifact>) => number | null | Promise<number | null>;
          readonly withinMs: number;
          readonly run?: never;
        }
    ),
): Check<Artifact> {
  const place = callerPlace();
  const { name, summary, level, artifact } = declaration;
  const basics = { kind: 'check', name, summary, level, artifact, place } as const;
  if (declaration.run) return { ...basics, timed: false, run: declaration.run };
  const { newest, withinMs } = declaration;
  const run = async (context: CheckContext<Artifact>): Promise<CheckVerdict> => {
    const at = await newest(context);
    if (at !== null && context.now - at <= withinMs) return { ok: true };
    return {
      ok: false,
      expected: `data of the last ${ageWords(withinMs)}`,
      found: at === null ? 'no data that has a time' : `the newest is ${ageWords(context.now - at)} old (${new Date(at).toISOString()})`,
    };
  };
  return { ...basics, timed: true, run };
}

/** `36 hours`, as a person says how old something is. */
function ageWords(milliseconds: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1000],
  ] as const;
  const [name, size] = units.find(([, size]) => milliseconds >= 2 * size) ?? units.at(-1)!;
  const count = Math.max(0, Math.round(milliseconds / size));
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
