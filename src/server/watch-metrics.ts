import type { WatchStatus } from '../contracts/watch.ts';

/** What a scrape tells beside where the watch stands. */
export interface WatchProcess {
  /** Seconds since something got on. */
  readonly silentSeconds: number;
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
}

const states: readonly WatchStatus['state'][] = ['catching-up', 'in-step', 'waiting', 'stopping'];

/** Where a watch stands, in Prometheus' text format 0.0.4; what cannot be told is left out, as a gauge that lies is worse than none. */
export function watchMetrics(status: WatchStatus | null, process: WatchProcess): string {
  const metrics = [...(status === null ? [] : ofStatus(status)), ...ofProcess(process)];
  return metrics.map(({ name, type, help, samples }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.join('')}`).join('');
}

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly string[];
}

function ofStatus(status: WatchStatus): readonly Metric[] {
  const labels = { index: status.index };
  const one = (type: Metric['type'], name: string, help: string, value: number | null): readonly Metric[] =>
    value === null ? [] : [{ name, type, help, samples: [sample(name, labels, value)] }];
  const stateName = 'twin_watch_state';
  const stateSamples = states.map((state) => sample(stateName, { ...labels, state }, state === status.state ? 1 : 0));
  return [
    { name: stateName, type: 'gauge', help: '1 for the state that the watch is in.', samples: stateSamples },
    ...one('counter', 'twin_watch_changes_settled_total', 'Changes that were applied or put aside.', status.settled),
    ...one('gauge', 'twin_watch_changes_unsettled', 'Keys with changes that were read and not settled.', status.unsettled),
    ...one('gauge', 'twin_watch_dead_letters', 'Documents that could not be brought into the index.', status.deadLetters),
    ...one(
      'gauge',
      'twin_watch_lag_seconds',
      'Time between the last settled change and the last change of the source, by its clock.',
      status.lagMs === null ? null : status.lagMs / 1000,
    ),
    ...one(
      'gauge',
      'twin_watch_history_used_ratio',
      "Part of the source's history that has passed since the last settled change; at 1 changes are lost.",
      status.windowUsed,
    ),
    ...one('gauge', 'twin_watch_history_alarm', '1 once half of the history has passed.', status.alarm ? 1 : 0),
    ...one('counter', 'twin_watch_points_written_total', 'Points written to the index.', status.pointsWritten),
    ...one('counter', 'twin_watch_points_removed_total', 'Points removed from the index.', status.pointsRemoved),
    ...one('counter', 'twin_watch_embeddings_made_total', 'Texts that the embedder was given.', status.embeddingsMade),
  ];
}

function ofProcess({ silentSeconds, memoryBytes, cpuSeconds, startedAt }: WatchProcess): readonly Metric[] {
  const one = (type: Metric['type'], name: string, help: string, value: number): Metric => ({
    name,
    type,
    help,
    samples: [sample(name, {}, value)],
  });
  return [
    one('gauge', 'twin_watch_silent_seconds', 'Time since something got on.', silentSeconds),
    one('gauge', 'process_resident_memory_bytes', 'Resident memory size in bytes.', memoryBytes),
    one('counter', 'process_cpu_seconds_total', 'User and system CPU time in seconds.', cpuSeconds),
    one('gauge', 'process_start_time_seconds', 'Start time since the Unix epoch in seconds.', startedAt),
  ];
}

function sample(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const told = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${told.length === 0 ? '' : `{${told.join(',')}}`} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
