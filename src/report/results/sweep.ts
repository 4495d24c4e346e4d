import type { SweepFinished, SweepPlanned, SweepVariant } from '../../contracts/sweep.ts';
import { counted, duration } from '../quantities.ts';
import { metricNumber, placeWords } from '../run-words.ts';
import type { Format, Style } from '../style.ts';
import { table } from '../table.ts';

/** Metrics that get a column where any variant has them. */
export const sweepMetrics = ['loss', 'validationLoss', 'rewards/margins', 'rewards/accuracies', 'tokens_per_second'];
/** Jobs that the line about comparing names. */
const comparedJobs = 4;

/** What a sweep is about to do. */
export function sweepPlannedText({ sweep, pipeline, swept, variants, steps, mostMs, unmeasured }: SweepPlanned, style: Style): string {
  const product = swept.map(({ address, values }) => `${address} (${values.map((value) => valueText(value)).join(', ')})`).join(' × ');
  const unknown = unmeasured === 0 ? '' : `; of ${counted(unmeasured, 'step')} no earlier run tells`;
  const time =
    mostMs === 0 && unmeasured > 0 ? 'no earlier run tells how long that takes' : `at most ${duration(mostMs)} by earlier runs${unknown}`;
  return [
    `${style('bold', pipeline)}: ${counted(variants, 'variant')} of ${product} ${style('dim', `(${sweep})`)}`,
    `  ${counted(steps.shared, 'step')} done once, ${steps.each} by each variant; ${time}`,
  ].join('\n');
}

/** The variants of a sweep side by side, the best first where a loss tells which that is. */
export function sweepText({ sweep, variants, durationMs, report, pipeline }: SweepFinished, style: Style): string {
  const addresses = Object.keys(variants[0]?.values ?? {});
  const metrics = sweepMetrics.filter((name) => variants.some(({ job }) => job?.metrics[name] !== undefined));
  const sorted = bestFirst(variants);
  const rows = sorted.map(({ variant, values, status, durationMs: took, job, run }) => [
    String(variant),
    ...addresses.map((address) => valueText(values[address])),
    style(formats[status], status),
    ...metrics.map((name) => (job?.metrics[name] === undefined ? '' : metricNumber(job.metrics[name]))),
    status === 'not-run' ? '' : duration(took),
    job?.job.slice(0, 12) ?? '',
    run ?? '',
  ]);
  const titles = ['', ...addresses, 'STATUS', ...metrics, 'TIME', 'JOB', 'RUN'];
  const wrong = sorted.flatMap(({ variant, problem }) => (problem === null ? [] : [`  variant ${variant}: ${problem}`]));
  const jobs = sorted.flatMap(({ job }) => (job === null ? [] : [job.job.slice(0, 12)])).slice(0, comparedJobs);
  const succeeded = variants.filter(({ status }) => status === 'succeeded').length;
  return [
    '',
    `${style('bold', pipeline)} ${sweep}: ${succeeded} of ${counted(variants.length, 'variant')} succeeded after ${duration(durationMs)}.`,
    table(titles, rows, (title) => style('dim', title)),
    ...wrong,
    ...(jobs.length < 2 ? [] : [style('dim', `→ twin jobs compare ${jobs.join(' ')}`)]),
    ...(report === null ? [] : [style('dim', `→ report: ${placeWords(report)}`)]),
  ].join('\n');
}

const formats: Readonly<Record<SweepVariant['status'], Format>> = {
  succeeded: 'green',
  failed: 'red',
  cancelled: 'yellow',
  refused: 'yellow',
  'not-run': 'dim',
};

/** By the loss on held-out rows, else by that of training; those without any come last, in the order of the sweep. */
export function bestFirst(variants: readonly SweepVariant[]): readonly SweepVariant[] {
  const by = variants.some(({ job }) => job?.metrics['validationLoss'] !== undefined) ? 'validationLoss' : 'loss';
  const loss = ({ job }: SweepVariant): number => job?.metrics[by] ?? Infinity;
  return variants.toSorted((left, right) => (loss(left) === loss(right) ? 0 : loss(left) - loss(right)));
}

/** A value of a param as it may be written. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
