import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { doctor } from '../../src/cli/commands/doctor.ts';
import { addSchedule } from '../../src/cli/commands/schedule-add.ts';
import { listSchedules, pauseSchedule, removeSchedule, resumeSchedule, scheduleHistory } from '../../src/cli/commands/schedules.ts';
import { triggerSchedule } from '../../src/cli/commands/schedule-trigger.ts';
import type { ScheduleRecord, ScheduleSpec } from '../../src/contracts/schedule.ts';
import { listRuns } from '../../src/history/runs.ts';
import { openBook } from '../../src/schedules/book.ts';
import { ticksOf } from '../../src/schedules/ledger.ts';
import { fixtureProject, said } from '../support/command-line.ts';
import { scheduleSpec } from '../support/schedules.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = resolve(import.meta.dirname, '../..');
const bin = join(root, 'bin/twin.js');
const flags = { timeZone: 'UTC', overlap: 'skip', catchUp: 'latest', catchUpWindow: '7d' };
const yearly = { ...flags, cron: '7 4 1 1 *' };
const minutesAgo = (minutes: number) => Math.floor(Date.now() / 60_000 - minutes) * 60_000;

/** A schedule that was added at a moment of the past, in the state of a folder. */
async function schedulePast(state: string, at: number, change: Partial<ScheduleSpec>, more: readonly ScheduleRecord[] = []) {
  const store = openSqliteMetadataStore({ file: join(state, 'state.db') });
  const spec = scheduleSpec({ pipeline: 'words-pipeline', timeZone: 'UTC', ...change });
  await store.append('schedule/words', 0, [{ type: 'added', at, spec }, ...more]);
  await store.close();
}

/** What the ledger and the runs of a state folder say. */
async function ledgerIn(state: string) {
  const store = openSqliteMetadataStore({ file: join(state, 'state.db') });
  const ledger = await openBook(store, 'words').read();
  const runs = await listRuns(store);
  await store.close();
  return { ledger, runs, ticks: ticksOf(ledger) };
}

/** The cron expression of the minute that lies so many minutes back, every day. */
function dailyAt(minutes: number): string {
  const at = new Date(minutesAgo(minutes));
  return `${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
}

describe('twin schedule', () => {
  test('adds, lists, pauses, resumes and removes; adding an equal one again changes nothing', async () => {
    const folder = await temporaryFolder();
    const on = { folder };
    const add = (change: object = {}) => said(on, (context) => addSchedule(context, { ...yearly, ...change }, 'yearly', 'words-pipeline'));
    const first = await add();
    expect(first.stdout).toMatchInlineSnapshot(`
      "Schedule yearly was added: words-pipeline, 7 4 1 1 * UTC.
      Next tick: <moment>.
      → twin schedule start, or twin schedule export yearly --to github
      "
    `);
    expect((await add()).stdout).toContain('is as it was');
    const other = await add({ cron: '9 4 1 1 *' });
    expect(`${other.stderr}exit ${other.exit}`).toMatchInlineSnapshot(`
      "error: There is a schedule yearly already, and it differs
        found     words-pipeline, '7 4 1 1 *' (UTC)
        → To change it, say --replace.
      exit 2"
    `);
    expect((await add({ cron: '9 4 1 1 *', replace: true })).stdout).toContain('was replaced');
    expect((await said(on, (context) => pauseSchedule(context, {}, 'yearly'))).stdout).toContain('It is paused.');
    expect((await said(on, listSchedules)).stdout).toMatchInlineSnapshot(`
      "SCHEDULE  PIPELINE        WHEN           STATE
      yearly    words-pipeline  9 4 1 1 * UTC  paused
      "
    `);
    expect((await said(on, (context) => triggerSchedule(context, {}, 'yearly'))).stdout).toContain(
      'The schedule is paused: nothing was run.',
    );
    expect((await said(on, (context) => resumeSchedule(context, {}, 'yearly'))).stdout).toContain('Next tick');
    expect((await said(on, (context) => removeSchedule(context, {}, 'yearly'))).stdout).toContain('its history stays');
    expect((await said(on, listSchedules)).stdout).toContain('No schedules yet.');
  });

  test('refuses what cannot be kept, all of it at once, and an unknown name with the near one', async () => {
    const folder = await temporaryFolder();
    const wrong = { ...flags, cron: '61 * * * *', overlap: 'never', pauseAfter: '0', jitter: 'long', set: ['read-words.cuont=1'] };
    const refused = await said({ folder }, (context) => addSchedule(context, wrong, 'Every Night', 'words-pipeline'));
    expect(`${refused.stderr}exit ${refused.exit}`).toMatchInlineSnapshot(`
      "error: A schedule cannot be called that
        expected  up to 50 lower-case letters, digits and hyphens
        found     Every Night
        → For example: nightly

      error: --overlap has a wrong value
        expected  skip, buffer-one, cancel-other, allow
        found     never
        → For example: --overlap skip

      error: "61 * * * *" is no cron expression
        at        --cron
        expected  five fields: minute, hour, day of month, month, day of week
        found     Invalid value for minute: 61
        → Every night at 02:17: --cron '17 2 * * *'

      error: --pause-after has a wrong value
        expected  a whole number greater than 0
        found     0
        → For example: --pause-after 5

      error: --jitter has a wrong value
        expected  a length of time: 90s, 15m, 6h, 7d
        found     long
        → For example: --jitter 6h

      error: read-words has no parameter cuont
        at        --set read-words.cuont=1
        expected  count, rejected, tenant, failing
        found     cuont
        → Did you mean read-words.count?

      6 problems; nothing was changed.
      exit 2"
    `);
    expect((await said({ folder }, (context) => addSchedule(context, flags, 'idle', 'words-pipeline'))).stderr).toContain(
      'Nothing says when it shall run',
    );
    await said({ folder }, (context) => addSchedule(context, yearly, 'yearly', 'words-pipeline'));
    const unknown = await said({ folder }, (context) => triggerSchedule(context, {}, 'yearli'));
    expect(`${unknown.stderr}exit ${unknown.exit}`).toBe('error: There is no schedule yearli\n  → Did you mean yearly?\nexit 2');
  });

  test('runs a tick that is due once, whoever raises it and however often, and tells how late it was', async () => {
    const folder = await temporaryFolder();
    await schedulePast(join(folder, '.twin'), minutesAgo(60), { cron: dailyAt(25) });
    const trigger = (environment: Readonly<Record<string, string>> = {}) =>
      said({ folder, environment, json: true }, (context) => triggerSchedule(context, {}, 'words'));
    const both = await Promise.all([trigger({ GITHUB_ACTIONS: 'true' }), trigger()]);
    expect(both.map(({ exit }) => exit)).toEqual([0, 0]);
    const again = await trigger();
    expect(JSON.parse(again.stdout.trimEnd().split('\n').at(-1)!)).toEqual({ type: 'schedule-ticks', ran: 0, reason: 'known' });
    const { ticks, runs } = await ledgerIn(join(folder, '.twin'));
    expect(runs).toHaveLength(1);
    expect(ticks).toMatchObject([{ state: 'succeeded', trigger: 'time', run: runs[0]!.run, attempts: 1 }]);
    expect(ticks[0]!.lateMs).toBeGreaterThanOrEqual(25 * 60_000);
    expect((await said({ folder }, (context) => scheduleHistory(context, { limit: '5' }, 'words'))).stdout).toMatch(/succeeded .* late/);
  });

  test('runs a missed tick that is named, refuses one that is none, and a tick of its own with --now', async () => {
    const folder = await temporaryFolder();
    await schedulePast(join(folder, '.twin'), minutesAgo(180), { cron: '7 * * * *' });
    const trigger = (more: object) => said({ folder }, (context) => triggerSchedule(context, more, 'words'));
    const none = await trigger({ tick: '2026-01-01T00:00:00Z' });
    expect(`${none.stderr}exit ${none.exit}`).toMatchInlineSnapshot(`
      "error: words has no tick at that time
        at        --tick
        expected  a time of '7 * * * *' (UTC)
        found     2026-01-01T00:00:00Z
        → The next one is 2026-01-01T00:07:00Z
      exit 2"
    `);
    expect((await trigger({ tick: 'yesterday' })).stderr).toContain('--tick is no moment');
    expect((await trigger({ tick: '2099-01-01T00:07:00Z' })).stderr).toContain('is not due yet');
    expect((await trigger({ tick: '2026-01-01T00:07:00Z' })).stdout).toContain('late, caught up');
    expect((await trigger({ tick: '2026-01-01T00:07:00Z' })).stdout).toContain('Nothing more is due.');
    expect((await trigger({ now: true })).stdout).toContain('(manual): succeeded');
  });

  test('pauses after failures in a row, and says so', async () => {
    const folder = await temporaryFolder();
    await schedulePast(join(folder, '.twin'), minutesAgo(60), { cron: null, afterMs: 1, pauseAfter: 2, set: ['read-words.failing=true'] });
    const trigger = () => said({ folder }, (context) => triggerSchedule(context, { now: true }, 'words'));
    expect((await trigger()).exit).toBe(1);
    await new Promise((settled) => setTimeout(settled, 1100));
    expect((await trigger()).exit).toBe(1);
    const { ledger } = await ledgerIn(join(folder, '.twin'));
    expect(ledger.paused?.reason).toBe('failures');
    expect((await said({ folder }, listSchedules)).stdout).toContain('paused after failures');
  });
});

test('twin doctor finds nights that never ran, nights that were missed, and a paused schedule', async () => {
  const folder = await temporaryFolder();
  const finding = async () =>
    (await said({ folder }, (context) => doctor(context))).stdout.split('\n').find((line) => line.includes('schedule words'));
  await schedulePast(join(folder, '.twin'), minutesAgo(3 * 24 * 60 + 60), { cron: dailyAt(90) });
  expect(await finding()).toMatch(/note +schedule words +3 ticks never ran, since .*: nothing raises them/);
  await said({ folder }, (context) => triggerSchedule(context, {}, 'words'));
  expect(await finding()).toMatch(/note +schedule words +2 ticks of the last 14 days were missed/);
  await said({ folder }, (context) => pauseSchedule(context, {}, 'words'));
  expect(await finding()).toMatch(/note +schedule words +paused since/);
});

describe('a process that runs a tick and is killed', () => {
  test.each([
    ['claimed', 'its run begins', 1, 2],
    ['started', 'its run ends', 2, 2],
    ['finished', 'it says so', 1, 1],
  ])('after the ledger says %s, before %s, leaves a tick that the next one accounts for', async (dieAfter, _what, runsAtMost, attempts) => {
    const state = await temporaryFolder();
    await schedulePast(state, minutesAgo(60), { cron: dailyAt(25) });
    const puppet = (...args: readonly string[]) =>
      spawnSync(process.execPath, [join(root, 'tests/support/tick-puppet.ts'), 'words', ...args], {
        env: { ...process.env, TWIN_STATE: state },
        encoding: 'utf8',
      });
    expect(puppet(dieAfter).signal).toBe('SIGKILL');
    const second = puppet();
    expect(`${second.stderr}${second.status}`).toBe('0');
    const { ledger, ticks, runs } = await ledgerIn(state);
    expect(ledger.open).toEqual([]);
    expect(ticks).toMatchObject([{ state: 'succeeded', attempts }]);
    expect(runs.length).toBeLessThanOrEqual(runsAtMost);
    expect(runs.filter(({ status }) => status === 'succeeded').length).toBe(1);
  });
});

describe('twin schedule start', () => {
  function start(state: string, ...more: readonly string[]) {
    const child = spawn(process.execPath, [bin, 'schedule', 'start', '--json', ...more], {
      cwd: fixtureProject,
      env: { ...process.env, TWIN_STATE: state },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const output = createInterface({ input: child.stdout });
    const lines: string[] = [];
    const progress: string[] = [];
    output.on('line', (line) => lines.push(line));
    const errors = createInterface({ input: child.stderr });
    errors.on('line', (line) => progress.push(line));
    return {
      child,
      lines,
      progress,
      async until(text: string): Promise<void> {
        while (!lines.some((line) => line.includes(text))) await once(output, 'line');
      },
      async says(text: string): Promise<void> {
        while (!progress.some((line) => line.includes(text))) await once(errors, 'line');
      },
      ended: once(child, 'exit') as Promise<[number | null, string | null]>,
    };
  }

  test('catches up, lets a second one wait or refuses it, and ends in order', { timeout: 60_000 }, async () => {
    const state = await temporaryFolder();
    // None falls due while the test runs.
    const cron = `${new Date(minutesAgo(5)).getUTCMinutes()} * * * *`;
    await schedulePast(state, minutesAgo(300), { cron, catchUp: 'latest' });
    const first = start(state);
    await first.until('"state":"succeeded"');
    const refused = start(state, '--no-wait');
    expect((await refused.ended)[0]).toBe(1);
    expect(JSON.parse(refused.lines.at(-1)!)).toMatchObject({ type: 'error', reason: 'locked' });
    const second = start(state);
    await second.says('is the scheduler of this store');
    first.child.kill('SIGTERM');
    expect(await first.ended).toEqual([143, null]);
    await second.says('Scheduler runs.');
    second.child.kill('SIGINT');
    expect(await second.ended).toEqual([130, null]);
    const { ticks, runs } = await ledgerIn(state);
    expect(runs).toHaveLength(1);
    expect(ticks.map((tick) => [tick.state, tick.reason])).toEqual([
      ['skipped', 'missed'],
      ['succeeded', null],
    ]);
    expect(ticks.reduce((sum, { count }) => sum + count, 0)).toBe(5);
  });

  test('asks the tick that it runs to stop, and waits for it', { timeout: 60_000 }, async () => {
    const state = await temporaryFolder();
    await schedulePast(state, minutesAgo(300), { pipeline: 'hold-pipeline', cron: '7 * * * *' });
    const scheduler = start(state);
    await scheduler.until('"state":"running"');
    scheduler.child.kill('SIGTERM');
    expect(await scheduler.ended).toEqual([143, null]);
    const { ticks, ledger } = await ledgerIn(state);
    expect(ledger.open).toEqual([]);
    expect(ticks.at(-1)).toMatchObject({ state: 'interrupted', reason: 'it was told to stop' });
  });
});
