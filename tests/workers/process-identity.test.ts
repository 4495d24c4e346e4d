import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { bootId, isAlive, pidNamespace, processIdentity } from '../../src/workers/process-identity.ts';

test('a process finds itself, with a start time that stays the same', () => {
  const identity = processIdentity(process.pid)!;
  expect(identity.pid).toBe(process.pid);
  expect(identity.start).toMatch(/\S/);
  expect(identity.bootId).toBe(bootId());
  expect(processIdentity(process.pid)).toEqual(identity);
  expect(isAlive(identity)).toBe(true);
});

test('a process with another start time or of another boot is not the one that was meant', () => {
  const identity = processIdentity(process.pid)!;
  expect(isAlive({ ...identity, start: '1' })).toBe(false);
  expect(isAlive({ ...identity, bootId: 'another' })).toBe(false);
});

test('a process that has ended is dead', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const identity = processIdentity(child.pid!)!;
  expect(isAlive(identity)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isAlive(identity)).toBe(false);
  expect(processIdentity(child.pid!)).toBeNull();
});

test.runIf(process.platform === 'linux')('a zombie is dead although its pid is taken', async () => {
  // The shell's child exits at once and stays unreaped, because the shell has become a sleep that waits for no one.
  const shell = spawn('sh', ['-c', 'true & echo $!; read line; exec sleep 60'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  shell.stdin.write('go\n');
  const zombie = Number(line.toString());
  await expect.poll(() => processIdentity(zombie)).toBeNull();
  shell.kill('SIGKILL');
  await once(shell, 'exit');
});

test.runIf(process.platform === 'linux')('the pid namespace of a child is that of its parent', () => {
  expect(pidNamespace()).toMatch(/^pid:\[\d+\]$/);
  expect(pidNamespace(process.ppid)).toBe(pidNamespace());
});
