import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { cancelRun } from '../../src/cli/commands/runs-cancel.ts';
import type { RunDetached } from '../../src/contracts/command-results.ts';
import { listRuns } from '../../src/history/runs.ts';
import { fixtureProject, said } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../bin/twin.js');

test('a detached run goes on when the process that started it is gone, until it is cancelled', async () => {
  const state = await temporaryFolder();
  const environment = { TWIN_STATE: state };
  const { stdout } = await promisify(execFile)(process.execPath, [bin, 'run', 'hold-pipeline', '--detach', '--json'], {
    cwd: fixtureProject,
    env: { ...process.env, ...environment },
  });
  const { run, pid } = JSON.parse(stdout) as RunDetached;
  // A run that is not detached looks for its parent once a second.
  await delay(1500);
  process.kill(pid, 0);
  const store = openSqliteMetadataStore({ file: `${state}/state.db` });
  expect(await listRuns(store)).toMatchObject([{ run, status: 'running' }]);
  await store.close();
  const { results } = await said({ folder: fixtureProject, environment }, (context) => cancelRun(context, {}, run));
  expect(results).toEqual([{ type: 'run-cancelled', run, status: 'cancelled', how: 'stopped' }]);
});

test('what is wrong is said in the foreground', async () => {
  const failing = promisify(execFile)(process.execPath, [bin, 'run', 'nonsense', '--detach'], {
    cwd: fixtureProject,
    env: { ...process.env, TWIN_STATE: await temporaryFolder() },
  });
  await expect(failing).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('There is no pipeline nonsense') as string });
});
