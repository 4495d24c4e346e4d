import { expect, onTestFinished, test } from 'vitest';
import { openWatchEndpoint } from '../../src/server/watch-endpoint.ts';
import { exampleWatchStatus } from '../support/watch-status.ts';

async function openTestEndpoint(silentMs?: number) {
  const endpoint = await openWatchEndpoint({ host: '127.0.0.1', port: 0, ...(silentMs !== undefined && { silentMs }) });
  onTestFinished(() => endpoint.close());
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`${endpoint.url}${path}`, { method });
    return `${response.status} ${(await response.text()).trim()}`;
  };
  return { endpoint, get };
}

test('a watch is ready once its index is in step, and no more while a server is away or history runs out', async () => {
  const { endpoint, get } = await openTestEndpoint();
  expect(await get('/readyz')).toBe('503 starting');
  endpoint.status(exampleWatchStatus({ state: 'catching-up' }));
  expect(await get('/readyz')).toBe('503 catching-up');
  endpoint.status(exampleWatchStatus());
  expect(await get('/readyz')).toBe('200 in step');
  endpoint.status(exampleWatchStatus({ state: 'waiting', problem: 'Qdrant does not answer' }));
  expect(await get('/readyz')).toBe('503 waiting: Qdrant does not answer');
  endpoint.status(exampleWatchStatus({ alarm: true, windowUsed: 0.7 }));
  expect(await get('/readyz')).toBe('503 70 % of the history of the source has passed');
});

test('a watch lives as long as something gets on', async () => {
  const { endpoint, get } = await openTestEndpoint();
  endpoint.pulse();
  expect(await get('/livez')).toBe('200 ok');
});

test('a watch that is silent for too long is dead, but not while it waits for its turn', async () => {
  const { endpoint, get } = await openTestEndpoint(0);
  expect(await get('/livez')).toBe('200 ok');
  endpoint.status(exampleWatchStatus({ unsettled: 7 }));
  endpoint.pulse();
  expect(await get('/livez')).toBe('503 nothing got on for 0 s, with 7 changes unsettled');
});

test('metrics are served as text, and nothing else is', async () => {
  const { endpoint, get } = await openTestEndpoint();
  endpoint.status(exampleWatchStatus());
  const response = await fetch(`${endpoint.url}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toContain('twin_watch_points_written_total{index="documents"} 20\n');
  expect(await get('/')).toBe('404 There are /metrics, /livez, /readyz.');
  expect(await get('/metrics', 'POST')).toBe('405 GET only.');
});

test('a port that is taken is named', async () => {
  const { endpoint } = await openTestEndpoint();
  const port = Number(new URL(endpoint.url).port);
  await expect(openWatchEndpoint({ host: '127.0.0.1', port })).rejects.toMatchObject({
    problem: { reason: 'port-unavailable', found: 'another process listens there', exit: 2 },
  });
});

test('closing twice is closing once', async () => {
  const endpoint = await openWatchEndpoint({ host: '127.0.0.1', port: 0 });
  await endpoint.close();
  await expect(endpoint.close()).resolves.toBeUndefined();
});
