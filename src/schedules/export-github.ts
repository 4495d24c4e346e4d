import type { Result } from '../contracts/problem.ts';
import { addWords, type ExportedFile, type ExportRequest, shellWords } from './export-request.ts';
import { utcCrons } from './utc-crons.ts';

/** A workflow of GitHub Actions. Its clock knows UTC alone, is late by minutes and leaves out nights; the ledger in the cached state tells what became of each tick. */
export function githubWorkflow({ name, spec, twin }: ExportRequest, cron: string): Result<readonly ExportedFile[]> {
  const crons = utcCrons(cron, spec.timeZone, name);
  if (crons === null) {
    return {
      ok: false,
      error: {
        reason: 'not-exportable',
        message: `Schedule ${name} falls at too many times of day for GitHub, whose clock knows UTC alone`,
        expected: 'at most 8 times a day in a year, or --time-zone UTC',
        found: `'${cron}' (${spec.timeZone})`,
        hint: `twin schedule add ${name} … --time-zone UTC --replace`,
        exit: 2,
      },
    };
  }
  const run = (...words: readonly string[]) => shellWords([...twin, ...words]);
  const text = `# Raises the ticks of twin's schedule ${name}: ${cron} ${spec.timeZone}.
# Written by: twin schedule export ${name} --to github
name: ${name}
on:
  schedule:
    # UTC, at an odd minute: at full hours GitHub is late. A tick that was run already is not run again.
${crons.map((line) => `    - cron: '${line}'`).join('\n')}
  workflow_dispatch:
    inputs:
      tick:
        description: Logical time of a tick, such as 2026-03-29T02:17:00Z; empty for the one that is due
        required: false

permissions:
  contents: read

concurrency:
  group: twin-${name}
  cancel-in-progress: false

env:
  TWIN_STATE: .twin

jobs:
  ${name}:
    runs-on: ubuntu-latest
    timeout-minutes: 350
    steps:
      - uses: actions/checkout@v5
      - uses: actions/setup-python@v6
        with:
          python-version: '3.12'
      - name: State of the last night
        uses: actions/cache/restore@v4
        with:
          path: .twin
          key: twin-state-${name}-\${{ github.run_id }}-\${{ github.run_attempt }}
          restore-keys: twin-state-${name}-
      - name: Python environment
        uses: actions/cache@v4
        with:
          path: ~/.cache/twin
          key: twin-python-\${{ runner.os }}-\${{ hashFiles('python-workers/requirements.lock', 'node_modules/twin/python-workers/requirements.lock') }}
      - run: npm install
      - name: Schedule
        run: ${run(...addWords(name, spec))}
      - name: Tick
        env:
          TICK: \${{ inputs.tick }}
        run: ${run('schedule', 'trigger', name)} \${TICK:+--tick "$TICK"}
      - name: Ledger
        if: always()
        run: ${run('schedule', 'history', name)}
      - name: Keep the state for the next night
        if: always()
        uses: actions/cache/save@v4
        with:
          path: .twin
          key: twin-state-${name}-\${{ github.run_id }}-\${{ github.run_attempt }}
      - name: Run report
        if: always()
        uses: actions/upload-artifact@v4
        with:
          name: twin-${name}-\${{ github.run_id }}-\${{ github.run_attempt }}
          path: |
            .twin/logs
            .twin/reports
          include-hidden-files: true
          if-no-files-found: ignore
`;
  return { ok: true, value: [{ name: `${name}.yml`, text }] };
}
