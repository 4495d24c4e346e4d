import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const root = resolve(import.meta.dirname, '../..');
const node = join(root, 'node_modules/.bin/node');

/** Milliseconds from starting twin again, after its run was killed with SIGKILL, until the step that was running runs again. */
export async function timeRecovery(state: string): Promise<number> {
  const first = start(state);
  await first.stepStarted;
  first.child.kill('SIGKILL');
  await first.ended;
  const begun = performance.now();
  const second = start(state);
  await second.stepStarted;
  const elapsed = performance.now() - begun;
  second.child.kill('SIGKILL');
  await second.ended;
  return elapsed;
}

function start(state: string) {
  const child = spawn(node, [join(root, 'bin/twin.js'), 'run', 'hold-pipeline', '--json'], {
    cwd: join(root, 'tests/fixtures/project'),
    env: { ...process.env, TWIN_STATE: state },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const stepStarted = (async () => {
    for await (const line of createInterface({ input: child.stdout })) if (line.includes('"type":"step-started"')) return;
    throw new Error('The run ended before its step began');
  })();
  return { child, ended, stepStarted };
}
