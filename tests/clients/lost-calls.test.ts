import { expect, test } from 'vitest';
import { LostCalls } from '../../src/clients/lost-calls.ts';

test('a call without an answer some time after connections broke is lost, and says so as a broken connection', async () => {
  const calls = new LostCalls(20);
  const answer = calls.answerOf(new Promise(() => undefined));
  calls.broke();
  await expect(answer).rejects.toMatchObject({ message: 'The server did not answer after its connections broke', code: 'ECONNRESET' });
});

test('a call that is answered soon after connections broke has its answer', async () => {
  const calls = new LostCalls(10_000);
  const call = Promise.withResolvers<number>();
  const answer = calls.answerOf(call.promise);
  calls.broke();
  call.resolve(1);
  expect(await answer).toBe(1);
});

test('a call on connections that hold takes as long as it takes', async () => {
  const calls = new LostCalls(1);
  expect(await calls.answerOf(new Promise((resolve) => setTimeout(() => resolve('late'), 30)))).toBe('late');
});
