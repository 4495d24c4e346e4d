import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProblemError } from '../../src/contracts/problem.ts';
import { processIdentity } from '../../src/workers/process-identity.ts';
import { Service } from '../../src/workers/service.ts';
import type { ServiceOptions } from '../../src/workers/service.ts';

const puppet = join(import.meta.dirname, 'puppets', 'service.js');
let folder: string;
let starts: number;
let services: Service[];

function service(greeting = 'hello', helloTimeoutMs = 20_000, first?: ServiceOptions['first']): Service {
  const command = async () => {
    starts += 1;
    return { file: process.execPath, arguments: [puppet, greeting, join(folder, 'log')], variables: {} };
  };
  const made = new Service({ name: 'puppet', command, helloTimeoutMs, ...(first && { first }) });
  services.push(made);
  return made;
}

const problemOf = async (asked: Promise<unknown>) => ((await asked.catch((error: unknown) => error)) as ProblemError).problem;
const log = async () => (await readFile(join(folder, 'log'), 'utf8').catch(() => '')).split('\n').slice(0, -1);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twin-service-'));
  starts = 0;
  services = [];
});
afterEach(async () => {
  await Promise.all(services.map((made) => made.dispose()));
  await rm(folder, { recursive: true, force: true });
});

test('a service starts with the first request and stays', async () => {
  const puppets = service();
  expect(starts).toBe(0);
  const texts = ['ein Wort\r\nzwei', '\u2028 \u0000', '😀', 'x'.repeat(300_000)];
  expect(await Promise.all(texts.map((text) => puppets.request('echo', { text })))).toEqual(texts.map((text) => ({ text })));
  expect(starts).toBe(1);
});

test('pieces arrive in order before the answer', async () => {
  const pieces: unknown[] = [];
  const answer = await service().request('pieces', { pieces: ['a', 'b', 'c'] }, { onPiece: (piece) => pieces.push(piece['text']) });
  expect(pieces).toEqual(['a', 'b', 'c']);
  expect(answer).toEqual({ count: 3 });
});

test('a failure that the service reports is a problem, and the service goes on', async () => {
  const puppets = service();
  expect(await problemOf(puppets.request('fail', {}))).toEqual({
    reason: 'too-long',
    message: 'The puppet service: The text has 900 tokens, 512 fit.',
    exit: 1,
  });
  expect(await puppets.request('echo', { a: 1 })).toEqual({ a: 1 });
  expect(starts).toBe(1);
});

test('a service that dies fails its requests with its last lines, and starts again for the next one', async () => {
  const puppets = service();
  const other = problemOf(puppets.request('hang', {}));
  expect(await problemOf(puppets.request('die', {}))).toEqual({
    reason: 'service-died',
    message: 'The puppet service was ended by SIGKILL.',
    found: 'Segmentation fault',
    hint: 'Run the same command again; a service that was killed may have run out of memory.',
    exit: 1,
  });
  expect((await other).reason).toBe('service-died');
  expect(await puppets.request('echo', { a: 1 })).toEqual({ a: 1 });
  expect(starts).toBe(2);
});

test('a request that may be repeated is, once', async () => {
  const puppets = service();
  const { pid } = await puppets.request('pid', {});
  const answer = await puppets.request('die-once', { pid: pid! }, { idempotent: true });
  expect(answer['pid']).not.toBe(pid);
  expect((await problemOf(puppets.request('die', {}, { idempotent: true }))).reason).toBe('service-died');
  expect((await log()).filter((line) => line.startsWith('die {'))).toHaveLength(2);
});

test('a service that had gone idle as the request was on its way is started again', async () => {
  const puppets = service();
  const { pid } = await puppets.request('pid', {});
  expect((await puppets.request('leave-once', { pid: pid! }))['pid']).not.toBe(pid);
  expect(starts).toBe(2);
});

test('a service that cannot start says why', async () => {
  expect(await problemOf(service('die').request('echo', {}))).toMatchObject({
    reason: 'service-died',
    message: 'The puppet service ended with exit code 1.',
    found: 'ImportError: no module named torch',
  });
  const missing = new Service({ name: 'missing', command: async () => ({ file: join(folder, 'nothing'), arguments: [], variables: {} }) });
  expect((await problemOf(missing.request('echo', {}))).message).toMatch(/^The missing service could not be started: .*ENOENT/);
});

test('a service that never says hello is ended', async () => {
  expect(await problemOf(service('silent', 300).request('echo', {}))).toMatchObject({
    reason: 'service-timeout',
    message: 'The puppet service was not ready after 0 seconds.',
  });
});

test.each([
  ['newer', 'echo'],
  ['hello', 'garbage'],
])('a line that is no reply of this version ends the service (greeting %s, method %s)', async (greeting, method) => {
  expect((await problemOf(service(greeting).request(method, {}))).reason).toBe('protocol-broken');
});

test('an aborted request rejects at once, and the service is told to cancel it', async () => {
  const puppets = service();
  await puppets.request('echo', {});
  const controller = new AbortController();
  const asked = puppets.request('hang', {}, { signal: controller.signal });
  await expect.poll(log).toContain('hang {}');
  controller.abort(new Error('stopped by the user'));
  await expect(asked).rejects.toThrow('stopped by the user');
  await puppets.request('echo', {});
  expect(await log()).toEqual(['echo {}', 'hang {}', 'cancel {"id":2}', 'echo {}']);
});

test('twin ends although a service still runs, and the service ends with it', async () => {
  const script = `
    import { Service } from ${JSON.stringify(join(import.meta.dirname, '../../src/workers/service.ts'))};
    const command = async () => ({ file: process.execPath, arguments: [${JSON.stringify(puppet)}], variables: {} });
    const { pid } = await new Service({ name: 'puppet', command }).request('pid', {});
    console.log(pid);`;
  const twin = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await Promise.all([text(twin.stdout), once(twin, 'exit')]);
  expect(twin.exitCode).toBe(0);
  await expect.poll(() => processIdentity(Number(output))).toBeNull();
});

test('what a service must load is asked of each new process before anything else', async () => {
  const puppets = service('hello', 20_000, { method: 'echo', data: { load: 'model' } });
  await puppets.ready();
  expect(await log()).toEqual(['echo {"load":"model"}']);
  await puppets.request('die', {}).catch(() => {});
  await puppets.request('pid', {});
  expect(await log()).toEqual(['echo {"load":"model"}', 'die {}', 'echo {"load":"model"}', 'pid {}']);
});

test('a service that cannot load what it must is ended and says why', async () => {
  const puppets = service('hello', 20_000, { method: 'fail', data: {} });
  expect((await problemOf(puppets.ready())).reason).toBe('too-long');
  expect((await problemOf(puppets.request('pid', {}))).reason).toBe('too-long');
  expect(starts).toBe(2);
});

test('a service that was disposed of has ended, and is not asked again', async () => {
  const puppets = service();
  const { pid } = await puppets.request('pid', {});
  await puppets.dispose();
  await puppets.dispose();
  expect(processIdentity(Number(pid))).toBeNull();
  await expect(puppets.request('echo', {})).rejects.toThrow('disposed');
});
