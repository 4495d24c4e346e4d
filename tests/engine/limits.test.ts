import { expect, test } from 'vitest';
import { Limiter } from '../../src/engine/limits.ts';

const never = new AbortController().signal;

test('lets so many work at once, the rest in order', async () => {
  const limiter = new Limiter(2);
  const log: string[] = [];
  let inside = 0;
  const work = async (name: string): Promise<void> => {
    log.push(name);
    expect(++inside).toBeLessThanOrEqual(2);
    await new Promise(setImmediate);
    inside--;
  };
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => limiter.run(() => work(name), never)));
  expect(log).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('gives its place on when work fails, and forgets who has given up', async () => {
  const limiter = new Limiter(1);
  const gate = Promise.withResolvers<void>();
  const first = limiter.run(async () => {
    await gate.promise;
    throw new Error('failed');
  }, never);
  const impatient = new AbortController();
  const second = limiter.run(async () => 'second', impatient.signal);
  const third = limiter.run(async () => 'third', never);
  impatient.abort(new Error('gave up'));
  gate.resolve();
  await expect(first).rejects.toThrow('failed');
  await expect(second).rejects.toThrow('gave up');
  expect(await third).toBe('third');
});
