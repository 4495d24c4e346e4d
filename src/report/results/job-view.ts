import type { JobMetric, JobView } from '../../contracts/job-view.ts';
import { bytes, counted, duration, grouped } from '../quantities.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const curveWidth = 40;
/** Metrics that are shown first, in this order. */
const leading = ['loss', 'rewards/margins', 'rewards/accuracies', 'rewards/chosen', 'grad_norm', 'learning_rate', 'tokens_per_second'];
const shownWarnings = 5;

/** All that is known of a job. */
export function jobText(view: JobView, style: Style): string {
  const { line, params, adaptations, metrics, warnings, checkpoint, usage, error, estimate } = view;
  const state = line.state === 'ended' ? (line.exit ?? 'ended') : line.state;
  const colour = line.state === 'running' ? 'cyan' : line.exit?.startsWith('0 ') === true ? 'green' : 'red';
  const facts = [
    ['attempt', String(line.attempt)],
    ['device', deviceWords(view)],
    ['began', view.startedAt],
    ['took', duration(view.seconds * 1000)],
    ['phase', view.phase],
    ['progress', progressWords(view)],
    ['cost so far', view.cost === null ? null : `$${view.cost.toFixed(2)}`],
    ['checkpoint', checkpoint && `after step ${checkpoint.step}, written in ${duration(checkpoint.seconds * 1000)}`],
    ['canary', estimate && `${duration(estimate.secondsPerStep * 1000)} a step at most, ${bytes(estimate.peakBytes)}`],
    ['used', usage && `${duration(usage.cpuSeconds * 1000)} of CPU, ${bytes(usage.peakResidentBytes)} at its peak`],
    ['changed', adaptations.length === 0 ? null : adaptations.join('; ')],
    ['params', paramWords(params)],
    ['folder', line.folder],
  ] as const;
  const lines = facts.flatMap(([name, value]) => (value ? [`  ${style('dim', name.padEnd(12))}${value}`] : []));
  const last = warnings.slice(-shownWarnings);
  return [
    `${style('bold', `${line.job} ${line.id.slice(0, 12)}`)}: ${style(colour, state)}`,
    ...lines,
    ...(error === null
      ? []
      : [`  ${style('red', error.reason)}: ${error.message}${error.hint === null ? '' : style('dim', ` → ${error.hint}`)}`]),
    ...(warnings.length > last.length ? [style('dim', `  ${counted(warnings.length - last.length, 'earlier warning')}`)] : []),
    ...last.map(({ reason, message }) => `  ${style('yellow', reason)}: ${message}`),
    ...metricLines(metrics, style),
  ].join('\n');
}

function deviceWords({ device, devices }: JobView): string | null {
  return devices.length === 0 ? device : devices.map(({ uuid, name }) => `${name} (${uuid})`).join(', ');
}

/** What a job is doing now, in one line. */
export function beatText(view: JobView, style: Style): string {
  const last = (name: string) => view.metrics.find((metric) => metric.name === name)?.last;
  const word = (name: string, label: string) => {
    const value = last(name);
    return value === undefined ? null : `${label} ${number(value)}`;
  };
  const words = [
    progressWords(view),
    word('loss', 'loss'),
    word('rewards/margins', 'margin'),
    word('grad_norm', 'grad norm'),
    word('tokens_per_second', 'tokens/s'),
    word('device_utilization', 'GPU %'),
    view.residentBytes === null ? null : bytes(view.residentBytes),
    view.cost === null ? null : `$${view.cost.toFixed(2)}`,
  ].filter((one) => one !== null);
  return `${style('cyan', view.phase ?? 'starting')}  ${words.join(' · ')}`;
}

/** Jobs side by side: params that differ, and what came of them. */
export function jobsComparedText(views: readonly JobView[], style: Style): string {
  const flat = views.map(({ params }) => flattened(params));
  const names = [...new Set(flat.flatMap((params) => [...params.keys()]))];
  const differing = names.filter((name) => new Set(flat.map((params) => params.get(name))).size > 1);
  const metrics = [...new Set(views.flatMap((view) => view.metrics.map(({ name }) => name)))].toSorted(byLead);
  const last = (view: JobView, name: string) => {
    const metric = view.metrics.find((one) => one.name === name);
    return metric === undefined ? '' : number(metric.last);
  };
  const rows = [
    ['job', ...views.map(({ line }) => line.job)],
    ['state', ...views.map(({ line }) => line.exit ?? line.state)],
    ...differing.map((name) => [name].concat(flat.map((params) => params.get(name) ?? ''))),
    ['time', ...views.map(({ seconds }) => duration(seconds * 1000))],
    ['peak memory', ...views.map(({ usage }) => (usage === null ? '' : bytes(usage.peakResidentBytes)))],
    ...metrics.map((name) => [name].concat(views.map((view) => last(view, name)))),
    ['loss curve', ...views.map((view) => sparkline(view.metrics.find(({ name }) => name === 'loss')?.series ?? [], 24))],
  ];
  return table(['', ...views.map(({ line }) => line.id.slice(0, 12))], rows, (title) => style('dim', title));
}

function metricLines(metrics: readonly JobMetric[], style: Style): string[] {
  if (metrics.length === 0) return [];
  const rows = metrics
    .toSorted((left, right) => byLead(left.name, right.name))
    .map(({ name, points, first, last, min, max, series }) => [
      name,
      style('cyan', sparkline(series, curveWidth)),
      number(first),
      number(last),
      `${number(min)} to ${number(max)}`,
      grouped(points),
    ]);
  return table(['METRIC', 'CURVE', 'FIRST', 'LAST', 'RANGE', 'POINTS'], rows, (title) => style('dim', title))
    .split('\n')
    .map((line) => `  ${line}`);
}

function byLead(left: string, right: string): number {
  const rank = (name: string) => (leading.includes(name) ? leading.indexOf(name) : leading.length);
  return rank(left) - rank(right) || (left < right ? -1 : 1);
}

function sparkline(series: readonly number[], width: number): string {
  if (series.length === 0) return '';
  const columns = Math.min(width, series.length);
  const values = Array.from({ length: columns }, (_, column) => series[Math.floor((column * series.length) / columns)]!);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => bars[max === min ? 3 : Math.min(7, Math.floor(((value - min) / (max - min)) * 8))]).join('');
}

function progressWords({ progress, etaSeconds }: JobView): string | null {
  if (progress === null) return null;
  const of = progress.total === null ? '' : `/${grouped(progress.total)}`;
  return `${grouped(progress.done)}${of} ${progress.unit}${etaSeconds === null ? '' : `, ${duration(etaSeconds * 1000)} left`}`;
}

function paramWords(params: Readonly<Record<string, unknown>>): string | null {
  const words = [...flattened(params)].map(([name, value]) => `${name} ${value}`);
  return words.length === 0 ? null : words.join(', ');
}

function flattened(params: Readonly<Record<string, unknown>>, prefix = ''): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, inner] of flattened(value as Record<string, unknown>, `${prefix}${name}.`)) flat.set(key, inner);
    } else flat.set(`${prefix}${name}`, JSON.stringify(value));
  }
  return flat;
}

function number(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 1e7) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}
