import type { DatasetCard, DatasetVersion } from './dataset.ts';
import type { CompressionSummary, PreflightReport } from './jobs.ts';
import type { JobView } from './job-view.ts';
import type { DeviceLine } from './devices.ts';
import type { FailureCard } from './failure-card.ts';
import type { GarbageCollected } from './garbage.ts';
import type { RunPlan } from './plan.ts';
import type { Problem } from './problem.ts';
import type { Json } from './digest.ts';
import type { AliasMove, EvaluationRecord, ModelVersion } from './registry.ts';
import type { Answer, Forgotten, IndexGenerationLine, IndexVerified, ModelVersionLine } from './results.ts';
import type { LogEntry } from './run-log.ts';
import type { RunDiff } from './run-diff.ts';
import type { RunSummary } from './run.ts';
import type { LineageStep, RunView } from './run-view.ts';
import type { ScheduleLine, TickView } from './schedule.ts';
import type { SweepFinished, SweepPlanned } from './sweep.ts';
import type { WhyResult } from './why.ts';
import type { DeadLetterLine, DeadLettersChanged, Reconciliation, WatchFinished } from './watch.ts';

/** A value of the configuration, and who said so. */
export interface ConfigValue {
  readonly type: 'config-value';
  readonly key: string;
  readonly value: unknown;
  /** `default`, `wiring` (the pipeline itself), `key` (another key of the configuration), `base`, `profile`, `pipeline`, `local`, `environment` or `flag`. */
  readonly layer: string;
  /** `configs/base.yaml:3`, a variable, a flag; null for a default. */
  readonly where: string | null;
}

/** One thing that doctor looked at. */
export interface Finding {
  readonly type: 'finding';
  /** What was looked at: `Node`, `Python`, `disk space`. */
  readonly subject: string;
  /** `warn`: works, but something will cost time or is missing for some commands. */
  readonly state: 'ok' | 'warn' | 'problem';
  /** What was found. */
  readonly found: string;
  readonly where: string | null;
  /** What to do; null where nothing is to be done. */
  readonly fix: string | null;
}

/** What a worker did about an attempt that a run handed over. */
export interface WorkerAttempt {
  readonly type: 'worker-attempt';
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  /** The rows of a map step that it was about, from and up to; null: the whole step. */
  readonly rows: readonly [from: number, to: number] | null;
  /** `fenced-out`: another worker holds it, or its run is over, so nothing was committed. `returned`: given back unfinished. */
  readonly how: 'taken' | 'committed' | 'failed' | 'fenced-out' | 'returned';
  /** Why it failed. */
  readonly found: string | null;
}

/** What a worker did about changes that a watch handed over. */
export interface WorkerChanges {
  readonly type: 'worker-changes';
  readonly generation: string;
  readonly changes: number;
  /** Why it did not apply them. */
  readonly refused: string | null;
}

/** A Python job as its launcher and its records tell it. */
export interface JobLine {
  readonly type: 'job';
  readonly id: string;
  readonly job: string;
  readonly state: 'running' | 'ended' | 'lost';
  readonly attempt: number;
  readonly pid: number | null;
  /** Exit code and what it means; null while it runs. */
  readonly exit: string | null;
  /** Where its files lie. */
  readonly folder: string | null;
}

/** What a preflight found before a training step; where there was none, why. */
export interface TrainingChecked {
  readonly step: string;
  readonly report: PreflightReport | null;
  readonly skipped: string | null;
}

/** A dataset version beside what its card says. */
export interface DatasetShown {
  readonly type: 'dataset';
  readonly version: DatasetVersion;
  readonly card: DatasetCard | null;
}

/** A model version, the aliases that name it, how they moved, and everything that it was made from. */
export interface ModelShown {
  readonly type: 'model';
  readonly version: ModelVersion;
  readonly aliases: readonly string[];
  readonly moves: readonly (AliasMove & { readonly alias: string })[];
  /** From the model back to its first base: what each one is and where its data comes from. */
  readonly ancestry: readonly ModelVersion[];
  /** What evaluations concluded about it, oldest first. */
  readonly evaluations: readonly EvaluationRecord[];
  /** The document revisions that the model learned from. */
  readonly documents: readonly { readonly document: string; readonly revision: string; readonly address: string | null }[];
  /** The steps that led to it, nearest first. */
  readonly steps: readonly { readonly address: string; readonly run: string; readonly at: number }[];
}

/** An alias that was moved, or stood there already. */
export interface AliasMoved {
  readonly type: 'alias-moved';
  readonly model: string;
  readonly alias: string;
  readonly from: string | null;
  readonly to: string;
  readonly moved: boolean;
  /** The gate was passed over. */
  readonly forced: boolean;
}

/** What differs between two versions of models. */
export interface ModelsDiff {
  readonly type: 'models-diff';
  readonly before: string;
  readonly after: string;
  readonly changes: readonly { readonly key: string; readonly before: Json; readonly after: Json }[];
  /** Rows that were learned; null where those of one are gone. */
  readonly rows: { readonly added: number; readonly removed: number; readonly common: number } | null;
  /** On one frozen set; null where none was used for both. */
  readonly bitsPerByte: { readonly frozenSet: string; readonly before: number; readonly after: number } | null;
  /** Euclidean norms by layer; null where the files of one are gone. */
  readonly weights: {
    readonly layers: readonly { readonly layer: string; readonly parameters: number; readonly norm: number; readonly difference: number }[];
    readonly incomparable: readonly string[];
  } | null;
}

/** Every step that led to a model, nearest first, and the document revisions at the other end. */
export interface ModelTrace {
  readonly type: 'trace';
  readonly model: string;
  readonly weights: string;
  readonly steps: readonly LineageStep[];
  readonly documents: readonly { readonly document: string; readonly revision: string; readonly address: string | null }[];
}

/** Everything that was made from a document. */
export interface DocumentImpact {
  readonly type: 'impact';
  readonly document: string;
  readonly address: string;
  readonly artifacts: readonly {
    readonly name: string;
    readonly digest: string;
    readonly step: string;
    readonly run: string;
    readonly at: number;
  }[];
  readonly datasets: readonly { readonly dataset: string; readonly splits: readonly string[] }[];
  /** `through` names the version that it came by; null where the model's own rows hold it. */
  readonly models: readonly { readonly model: string; readonly through: string | null; readonly aliases: readonly string[] }[];
}

/** A point of the index that is not as the documents say it should be. */
export interface PointDifferenceLine {
  readonly type: 'point-difference';
  readonly kind: 'missing' | 'stale' | 'different';
  readonly id: string;
  readonly document: string;
  /** Where the document lives; null where it is gone. */
  readonly address: string | null;
  /** What differs: `payload`, `vector`, `tenant`, or `ledger` where the index is right and its ledger is not. */
  readonly what: string | null;
}

/** A place on the disk that a person may want to look at. */
export interface PlaceLine {
  readonly what: string;
  readonly path: string;
}

/** What became of a schedule; null once it is removed. */
export interface ScheduleChanged {
  readonly type: 'schedule-changed';
  readonly name: string;
  readonly change: 'added' | 'replaced' | 'unchanged' | 'paused' | 'resumed' | 'removed';
  readonly schedule: ScheduleLine | null;
}

/** The ticks that a command ran; or, where it ran none, why: the schedule is paused, the last tick is known, or none was due yet. */
export interface ScheduleTicks {
  readonly type: 'schedule-ticks';
  readonly ticks: readonly TickView[];
  readonly reason: { readonly kind: 'paused' | 'known' | 'not-due'; readonly tick: TickView | null } | null;
}

/** The files by which another clock raises ticks; `path` is null where they were printed. */
export interface ScheduleFiles {
  readonly type: 'schedule-files';
  readonly files: readonly { readonly name: string; readonly path: string | null; readonly text: string }[];
  /** What to do with them. */
  readonly next: readonly string[];
}

/** What became of a run that was asked to end: `asked` where it has not ended yet. */
export interface RunCancelled {
  readonly type: 'run-cancelled';
  readonly run: string;
  readonly status: RunSummary['status'];
  /** `ended`: it had ended before. `closed`: its process was dead. `stopped`: it ended because it was asked to. */
  readonly how: 'ended' | 'closed' | 'stopped' | 'asked';
}

/** A run that goes on in the background, and where it writes what it would have said. */
export interface RunDetached {
  readonly type: 'run-detached';
  readonly run: string;
  readonly pid: number;
  readonly log: string;
}

/** What a command gives back; only src/report turns it into words. */
export type CommandResult =
  | { readonly type: 'plan'; readonly plan: RunPlan; readonly training?: readonly TrainingChecked[] }
  | WhyResult
  | SweepPlanned
  | { readonly type: 'devices'; readonly devices: readonly DeviceLine[] }
  | { readonly type: 'device-released'; readonly uuid: string; readonly released: boolean; readonly devices: readonly DeviceLine[] }
  | SweepFinished
  | { readonly type: 'job-shown'; readonly view: JobView }
  | { readonly type: 'jobs-compared'; readonly views: readonly JobView[] }
  | { readonly type: 'job-saving'; readonly id: string }
  /** Told in several parts while a job is followed. */
  | { readonly type: 'job-beat'; readonly view: JobView }
  | { readonly type: 'job-said'; readonly text: string }
  | { readonly type: 'job-left'; readonly id: string }
  | RunDiff
  | { readonly type: 'runs'; readonly runs: readonly RunSummary[] }
  | { readonly type: 'run'; readonly view: RunView; readonly failures: readonly FailureCard[] }
  | GarbageCollected
  | { readonly type: 'report'; readonly run: string; readonly path: string }
  /** Said before the last event of a run that failed. */
  | { readonly type: 'failures'; readonly failures: readonly FailureCard[] }
  /** Told in several parts while a run is followed; `width` is that of the longest step's address. */
  | { readonly type: 'run-logs'; readonly run: string; readonly width: number; readonly entries: readonly LogEntry[] }
  | { readonly type: 'config'; readonly values: readonly ConfigValue[]; readonly origin: boolean }
  | { readonly type: 'doctor'; readonly findings: readonly Finding[] }
  | { readonly type: 'jobs'; readonly jobs: readonly JobLine[] }
  | { readonly type: 'job-logs'; readonly id: string; readonly lines: readonly string[] }
  | RunCancelled
  | RunDetached
  | { readonly type: 'job-cancelled'; readonly id: string; readonly was: 'running' | 'ended' | 'lost' }
  | { readonly type: 'datasets'; readonly datasets: readonly DatasetVersion[] }
  | DatasetShown
  | { readonly type: 'models'; readonly models: readonly ModelVersionLine[] }
  | ModelShown
  | AliasMoved
  | ModelsDiff
  | ModelTrace
  | DocumentImpact
  | { readonly type: 'model-registered'; readonly version: string; readonly weights: string }
  | { readonly type: 'model-deleted'; readonly version: string }
  | { readonly type: 'model-pushed'; readonly version: string; readonly repository: string; readonly commit: string; readonly url: string }
  /** `loss` is what rounding cost, where the format rounds. */
  | {
      readonly type: 'model-exported';
      readonly version: string;
      readonly format: string;
      readonly path: string;
      readonly loss: CompressionSummary | null;
    }
  | { readonly type: 'schedules'; readonly schedules: readonly ScheduleLine[] }
  | { readonly type: 'schedule-history'; readonly name: string; readonly ticks: readonly TickView[] }
  | ScheduleChanged
  | ScheduleTicks
  | ScheduleFiles
  | WorkerAttempt
  | WorkerChanges
  | { readonly type: 'places'; readonly places: readonly PlaceLine[] }
  /** The first differences, said before the result of verifying. */
  | { readonly type: 'point-differences'; readonly differences: readonly PointDifferenceLine[] }
  | IndexVerified
  | Forgotten
  | { readonly type: 'index-generations'; readonly index: string; readonly generations: readonly IndexGenerationLine[] }
  | { readonly type: 'index-switched'; readonly index: string; readonly from: string; readonly to: string }
  | { readonly type: 'index-dropped'; readonly index: string; readonly generation: string }
  | WatchFinished
  | { readonly type: 'dead-letters'; readonly letters: readonly DeadLetterLine[] }
  | { readonly type: 'dead-letter-shown'; readonly letter: DeadLetterLine }
  | DeadLettersChanged
  | Reconciliation
  | Answer
  /** The run's own last event said everything. */
  | { readonly type: 'none' };

/** A command's result, or what stood in its way, with the exit code of the process. */
export interface CommandOutcome {
  readonly result: CommandResult;
  readonly problems: readonly Problem[];
  readonly exit: number;
  /** Being asked to stop is how it ends, and no interruption: the exit code is its own. */
  readonly stopsWhenAsked?: true;
}
