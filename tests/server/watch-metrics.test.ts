import { expect, test } from 'vitest';
import { watchMetrics } from '../../src/server/watch-metrics.ts';
import { exampleWatchStatus } from '../support/watch-status.ts';

const process = { silentSeconds: 0.25, memoryBytes: 1024, cpuSeconds: 1.5, startedAt: 1_700_000_000 };

test('tells all of a watch in the text format of Prometheus', () => {
  expect(watchMetrics(exampleWatchStatus({ index: 'a "quoted" \\ index', lagMs: 1500, windowUsed: 0.6, alarm: true }), process))
    .toMatchInlineSnapshot(`
    "# HELP twin_watch_state 1 for the state that the watch is in.
    # TYPE twin_watch_state gauge
    twin_watch_state{index="a \\"quoted\\" \\\\ index",state="catching-up"} 0
    twin_watch_state{index="a \\"quoted\\" \\\\ index",state="in-step"} 1
    twin_watch_state{index="a \\"quoted\\" \\\\ index",state="waiting"} 0
    twin_watch_state{index="a \\"quoted\\" \\\\ index",state="stopping"} 0
    # HELP twin_watch_changes_settled_total Changes that were applied or put aside.
    # TYPE twin_watch_changes_settled_total counter
    twin_watch_changes_settled_total{index="a \\"quoted\\" \\\\ index"} 12
    # HELP twin_watch_changes_unsettled Keys with changes that were read and not settled.
    # TYPE twin_watch_changes_unsettled gauge
    twin_watch_changes_unsettled{index="a \\"quoted\\" \\\\ index"} 4
    # HELP twin_watch_dead_letters Documents that could not be brought into the index.
    # TYPE twin_watch_dead_letters gauge
    twin_watch_dead_letters{index="a \\"quoted\\" \\\\ index"} 1
    # HELP twin_watch_lag_seconds Time between the last settled change and the last change of the source, by its clock.
    # TYPE twin_watch_lag_seconds gauge
    twin_watch_lag_seconds{index="a \\"quoted\\" \\\\ index"} 1.5
    # HELP twin_watch_history_used_ratio Part of the source's history that has passed since the last settled change; at 1 changes are lost.
    # TYPE twin_watch_history_used_ratio gauge
    twin_watch_history_used_ratio{index="a \\"quoted\\" \\\\ index"} 0.6
    # HELP twin_watch_history_alarm 1 once half of the history has passed.
    # TYPE twin_watch_history_alarm gauge
    twin_watch_history_alarm{index="a \\"quoted\\" \\\\ index"} 1
    # HELP twin_watch_points_written_total Points written to the index.
    # TYPE twin_watch_points_written_total counter
    twin_watch_points_written_total{index="a \\"quoted\\" \\\\ index"} 20
    # HELP twin_watch_points_removed_total Points removed from the index.
    # TYPE twin_watch_points_removed_total counter
    twin_watch_points_removed_total{index="a \\"quoted\\" \\\\ index"} 2
    # HELP twin_watch_embeddings_made_total Texts that the embedder was given.
    # TYPE twin_watch_embeddings_made_total counter
    twin_watch_embeddings_made_total{index="a \\"quoted\\" \\\\ index"} 18
    # HELP twin_watch_silent_seconds Time since something got on.
    # TYPE twin_watch_silent_seconds gauge
    twin_watch_silent_seconds 0.25
    # HELP process_resident_memory_bytes Resident memory size in bytes.
    # TYPE process_resident_memory_bytes gauge
    process_resident_memory_bytes 1024
    # HELP process_cpu_seconds_total User and system CPU time in seconds.
    # TYPE process_cpu_seconds_total counter
    process_cpu_seconds_total 1.5
    # HELP process_start_time_seconds Start time since the Unix epoch in seconds.
    # TYPE process_start_time_seconds gauge
    process_start_time_seconds 1700000000
    "
  `);
});

test('leaves out what cannot be told', () => {
  const text = watchMetrics(exampleWatchStatus({ lagMs: null, windowUsed: null }), process);
  expect(text).not.toMatch(/lag_seconds|history_used_ratio/);
  expect(watchMetrics(null, process)).toMatch(/^# HELP twin_watch_silent_seconds/);
});
