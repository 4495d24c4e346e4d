import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { listRuns } from '../../src/history/runs.ts';
import { fixtureProject } from '../support/command-line.ts';
import { plainPython } from '../support/plain-python.ts';
import { skipWithout } from '../support/python.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../bin/twin.js');
const terminal = resolve(import.meta.dirname, '../support/terminal.py');
const python = plainPython();

/** A folder with the pipelines of the fixture, in which npx and npm find this twin. */
async function projectFolder(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'node_modules', '.bin'), { recursive: true });
  await symlink(bin, join(folder, 'node_modules', '.bin', 'twin'));
  await symlink(join(fixtureProject, 'pipelines'), join(folder, 'pipelines'));
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'project', type: 'module', scripts: { hold: 'twin run hold-pipeline' } }),
  );
  return folder;
}

/** Runs a command in a terminal, presses Ctrl-C once the step holds, and says how the command and its run ended. */
async function interrupted(command: readonly string[], times = 1) {
  const folder = await projectFolder();
  const state = join(folder, 'state');
  const env = { ...process.env, TWIN_STATE: state, TERM: 'xterm', CI: '', npm_config_update_notifier: 'false' };
  const { stdout } = await promisify(execFile)(python!, [terminal, 'hold-target', String(times), ...command], { cwd: folder, env });
  const { code, output } = JSON.parse(stdout) as { readonly code: number; readonly output: string };
  const store = openSqliteMetadataStore({ file: join(state, 'state.db') });
  const [run] = await listRuns(store);
  await store.close();
  return { code, output, status: run?.status };
}

describe('Ctrl-C in a terminal', () => {
  if (python === null) skipWithout('Python >= 3.10');
  test.skipIf(python === null).each([
    ['twin itself', [process.execPath, bin, 'run', 'hold-pipeline']],
    ['twin through npx', ['npx', '--no', 'twin', 'run', 'hold-pipeline']],
    ['twin through npm', ['npm', 'run', 'hold']],
  ])('stops %s in order', { timeout: 90_000 }, async (_name, command) => {
    const { code, output, status } = await interrupted(command);
    expect(output).toContain('Stopping: what is under way is finished, and running jobs save a checkpoint. Once more ends at once.');
    expect(status).toBe('cancelled');
    // npm and npx let the signal itself end them; a shell calls both 130.
    expect([130, -2]).toContain(code);
  });
});
