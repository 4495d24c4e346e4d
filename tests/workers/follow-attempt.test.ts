import { appendFile, mkdir, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JobEvent } from '../../src/contracts/worker-protocol.ts';
import { followAttempt } from '../../src/workers/follow-attempt.ts';
import { processIdentity } from '../../src/workers/process-identity.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const line = (seq: number, name: string) =>
  `${JSON.stringify({ v: 1, job: 'job-a', attempt: 1, seq, t: seq, wall: '2026-01-01T00:00:00.000Z', type: 'phase', data: { name } })}\n`;

/** An attempt whose keeper is this very process; the test plays the worker. */
async function attempt() {
  const folder = join(await temporaryFolder(), '1');
  await mkdir(folder);
  await writeFile(join(folder, 'lease.json'), '{}');
  await writeFile(join(folder, 'keeper.json'), JSON.stringify({ ...processIdentity(process.pid), nonce: 'a', worker: null }));
  return {
    folder,
    write: (text: string) => appendFile(join(folder, 'events.jsonl'), text),
    async end() {
      await writeFile(join(folder, 'exit.json.new'), JSON.stringify({ code: 0, signal: null, wall: '' }));
      await rename(join(folder, 'exit.json.new'), join(folder, 'exit.json'));
    },
  };
}

const options = { afterSeq: 0, signal: new AbortController().signal, renewalMs: null };
const shown = (event: JobEvent) => (event.type === 'phase' ? `${event.seq} ${event.data.name}` : `${event.seq} ${event.type}`);

test('events are those of whole lines; a line that is half written waits for its rest', async () => {
  const { folder, write, end } = await attempt();
  const events = followAttempt(folder, options);
  const next = async () => (await events.next()).value as JobEvent;
  const first = next();
  await write(line(1, 'load'));
  expect(shown(await first)).toBe('1 load');
  const [start, rest] = [line(2, 'Grüße 😀').slice(0, 40), line(2, 'Grüße 😀').slice(40)];
  const second = next();
  await write(start);
  await write(rest + line(3, 'save').slice(0, 20));
  expect(shown(await second)).toBe('2 Grüße 😀');
  // The worker died in the middle of its last line.
  await end();
  expect((await events.next()).done).toBe(true);
});

test('what was written just before the end is read', async () => {
  const { folder, write, end } = await attempt();
  const followed = Array.fromAsync(followAttempt(folder, { ...options, afterSeq: 1 }), shown);
  await write(Array.from({ length: 2000 }, (_, index) => line(index + 1, 'train')).join(''));
  await end();
  expect(await followed).toEqual(Array.from({ length: 1999 }, (_, index) => `${index + 2} train`));
});

test('a line that is no event of this version is told and not passed over', async () => {
  const { folder, write, end } = await attempt();
  await write(`${line(1, 'load')}{"v":2}\n${line(3, 'save')}`);
  await end();
  const events = await Array.fromAsync(followAttempt(folder, options));
  expect(events.map(shown)).toEqual(['1 load', '2 warn', '3 save']);
  const warning = events[1]!;
  expect(warning.type === 'warn' && warning.data.reason).toBe('event-unreadable');
  expect(warning.type === 'warn' && warning.data.message).toContain(`Line 2 of ${folder}/events.jsonl is no event of this version`);
});

test('following ends at once where the keeper is gone without a word', async () => {
  const { folder, write } = await attempt();
  await write(line(1, 'load'));
  await writeFile(join(folder, 'keeper.json'), JSON.stringify({ ...processIdentity(process.pid), start: '1', nonce: 'a', worker: null }));
  expect(await Array.fromAsync(followAttempt(folder, options), shown)).toEqual(['1 load']);
});

test('the lease is renewed where there is one', async () => {
  const { folder, end } = await attempt();
  const lease = join(folder, 'lease.json');
  await utimes(lease, new Date(0), new Date(0));
  const controller = new AbortController();
  const following = Array.fromAsync(followAttempt(folder, { ...options, signal: controller.signal, renewalMs: 10 }));
  await expect.poll(async () => (await stat(lease)).mtimeMs).toBeGreaterThan(1);
  const renewed = (await stat(lease)).mtimeMs;
  await expect.poll(async () => (await stat(lease)).mtimeMs).toBeGreaterThan(renewed);
  controller.abort();
  expect(await following).toEqual([]);
  await end();
});
