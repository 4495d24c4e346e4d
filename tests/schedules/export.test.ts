import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { nightlyWorkflow, nightlyWorkflowPath } from '../../scripts/nightly-workflow.ts';
import { cronTimes, timesBetween } from '../../src/schedules/cron.ts';
import { type Clock, exportTo } from '../../src/schedules/export.ts';
import type { ExportRequest } from '../../src/schedules/export-request.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { scheduleSpec } from '../support/schedules.ts';

const request = (change: Partial<ExportRequest> = {}): ExportRequest => ({
  name: 'nightly',
  spec: scheduleSpec({ cron: '17 2 * * 1-5', set: ["a.b='x y'"] }),
  twin: ['node_modules/.bin/node', 'bin/twin.js'],
  folder: '/srv/my twin/100%',
  state: '/var/lib/twin',
  image: 'registry.example/twin:1',
  ...change,
});

function exported(clock: Clock, given = request()) {
  const files = exportTo(clock, given);
  if (!files.ok) throw new Error(files.error.message);
  return files.value;
}

test('a workflow of GitHub adds the schedule, raises its tick without npx, and keeps state, ledger and reports', () => {
  const [file] = exported('github');
  const workflow = parse(file!.text) as {
    on: { schedule: { cron: string }[] };
    concurrency: { group: string };
    jobs: Record<string, { steps: { run?: string; uses?: string; with?: Record<string, unknown> }[] }>;
  };
  expect(workflow.on.schedule).toEqual([{ cron: '17 0 * * 1,2,3,4,5' }, { cron: '17 1 * * 1,2,3,4,5' }]);
  expect(workflow.concurrency.group).toBe('twin-nightly');
  const steps = workflow.jobs['nightly']!.steps;
  expect(steps.flatMap(({ run }) => run ?? [])).toEqual([
    'npm install',
    `node_modules/.bin/node bin/twin.js schedule add nightly --cron '17 2 * * 1-5' --time-zone Europe/Berlin --set 'a.b='\\''x y'\\''' --replace`,
    'node_modules/.bin/node bin/twin.js schedule trigger nightly ${TICK:+--tick "$TICK"}',
    'node_modules/.bin/node bin/twin.js schedule history nightly',
  ]);
  expect(steps.flatMap(({ uses }) => uses ?? [])).toEqual([
    'actions/checkout@v5',
    'actions/setup-python@v6',
    'actions/cache/restore@v4',
    'actions/cache@v4',
    'actions/cache/save@v4',
    'actions/upload-artifact@v4',
  ]);
});

test('this repository runs its own night by such a file: `npm run generate` was run', () => {
  expect(readFileSync(join(import.meta.dirname, '../..', nightlyWorkflowPath), 'utf8')).toBe(nightlyWorkflow());
});

describe('units of systemd', () => {
  const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;

  test.skipIf(!analyze)('fall at the times of the schedule, by its clock', () => {
    const [timer] = exported('systemd');
    const calendar = /^OnCalendar=(.*)$/m.exec(timer!.text)![1]!;
    const { stdout, status } = spawnSync(
      'systemd-analyze',
      ['calendar', '--iterations=5', '--base-time=2026-03-27 12:00:00 UTC', calendar],
      {
        encoding: 'utf8',
        env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
      },
    );
    expect(status).toBe(0);
    const found = [...stdout.matchAll(/(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC/g)].map(([, time]) => Date.parse(`${time}Z`));
    const from = Date.parse('2026-03-27T12:00Z');
    expect(found.length).toBeGreaterThan(0);
    expect([...new Set(found)]).toEqual(timesBetween(cronTimes('17 2 * * 1-5', 'Europe/Berlin'), from, from + 7 * 86_400_000).slice(0, 5));
  });

  test.skipIf(!analyze)('are what systemd takes', async () => {
    const folder = await temporaryFolder();
    for (const { name, text } of exported('systemd', request({ folder: '/' })))
      await writeFile(join(folder, name), text.replace('/node_modules/.bin/node', '/bin/sh'));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, 'twin-nightly.timer')], {
      encoding: 'utf8',
    });
    expect(stderr.split('\n').filter((line) => line.includes('twin-nightly'))).toEqual([]);
    expect(status).toBe(0);
  });

  test('quote a folder with spaces and double its percent signs', () => {
    const [, service] = exported('systemd');
    expect(service!.text).toContain('WorkingDirectory=/srv/my twin/100%%\n');
    expect(service!.text).toContain('ExecStart="/srv/my twin/100%%/node_modules/.bin/node" bin/twin.js schedule trigger nightly\n');
  });
});

test('a line of cron keeps the time zone, and its percent signs from cron', () => {
  const [file] = exported('cron');
  expect(file!.text).toContain('CRON_TZ=Europe/Berlin\nTWIN_STATE=/var/lib/twin\n');
  expect(file!.text).toContain(
    "17 2 * * 1-5 cd '/srv/my twin/100\\%' && node_modules/.bin/node bin/twin.js schedule trigger nightly >> /var/lib/twin/logs/schedule-nightly.log 2>&1\n",
  );
});

test('a CronJob of Kubernetes is what its schema asks for', () => {
  const [file] = exported('kubernetes');
  const [claim, job] = parseAllDocuments(file!.text).map((document) => document.toJS() as Record<string, unknown>);
  expect(claim).toMatchObject({ kind: 'PersistentVolumeClaim', metadata: { name: 'twin-nightly-state' } });
  expect(job).toMatchObject({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    spec: {
      schedule: '17 2 * * 1-5',
      timeZone: 'Europe/Berlin',
      concurrencyPolicy: 'Forbid',
      jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ image: 'registry.example/twin:1' }] } } } },
    },
  });
});

test('what a clock cannot do is refused', () => {
  const reason = (clock: Clock, given: ExportRequest) => {
    const files = exportTo(clock, given);
    return files.ok ? null : files.error.reason;
  };
  expect(reason('kubernetes', request({ image: null }))).toBe('no-image');
  expect(reason('cron', request({ spec: scheduleSpec({ cron: null, afterDocuments: 3 }) }))).toBe('not-exportable');
  expect(reason('systemd', request({ spec: scheduleSpec({ cron: '0 2 L * *' }) }))).toBe('not-exportable');
  expect(reason('github', request({ spec: scheduleSpec({ cron: '*/10 1-6 * * *' }) }))).toBe('not-exportable');
});
