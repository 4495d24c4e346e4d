import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openChatModels } from '../../../src/adapters/chat-model/models.ts';
import { openAiCompatibleChatModel } from '../../../src/adapters/chat-model/openai-compatible.ts';
import type { OpenAiCompatibleOptions } from '../../../src/adapters/chat-model/openai-compatible.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import { chatModelConformance } from '../../conformance/chat-model.ts';
import { chatUpstream, completion, delta } from '../../support/chat-upstream.ts';
import type { UpstreamScript } from '../../support/chat-upstream.ts';
import { runtimeOf } from '../../support/python-runtime.ts';

const request = { instruction: 'What is a twin?', maxNewTokens: 20, temperature: 0, seed: 7 };
const check = 'Check `chatModel` with `twin config show --origin`.';
const again = 'Check that the endpoint runs, and run the same command again.';

async function upstream(script: UpstreamScript, options: Partial<OpenAiCompatibleOptions> = {}) {
  const server = await chatUpstream(script);
  onTestFinished(server.close);
  const waits: number[] = [];
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  const model = openAiCompatibleChatModel({ url: server.url, model: 'tiny', wait, ...options });
  return { model, waits, requests: server.requests, place: new URL(server.url).host };
}
const problemOf = async (asked: Promise<unknown>) => ((await asked.catch((error: unknown) => error)) as ProblemError).problem;
const answering: UpstreamScript = (response) =>
  void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(completion(['A twin', ' is…', ' 😀']));

chatModelConformance('An OpenAI-compatible endpoint', async () => {
  const server = await chatUpstream(answering);
  const config = { kind: 'openai-compatible', url: server.url, model: 'tiny' } as const;
  const models = openChatModels({ runtime: runtimeOf('none'), config });
  return { models: { ...models, [Symbol.asyncDispose]: server.close }, model: models.configured! };
});

test('without configuration there is no model, and its identity says so', () => {
  const models = openChatModels({ runtime: runtimeOf('none'), config: { kind: 'none' } });
  expect(models).toMatchObject({ identity: 'none', configured: null });
});

test('a question is asked as a chat completion, and its streamed answer put together', async () => {
  const { model, requests, place } = await upstream(answering, { apiKey: async () => 'secret' });
  expect(model.identity).toBe(`openai-compatible ${place}/v1 tiny`);
  const reply = await model.answer(request);
  expect(reply).toMatchObject({ text: 'A twin is… 😀', promptTokens: 11, outputTokens: 3 });
  expect(requests).toEqual([
    {
      path: '/v1/chat/completions',
      authorization: 'Bearer secret',
      body: {
        model: 'tiny',
        messages: [{ role: 'user', content: 'What is a twin?' }],
        max_tokens: 20,
        temperature: 0,
        seed: 7,
        stream: true,
        stream_options: { include_usage: true },
      },
    },
  ]);
});

test('a stream cut into single bytes, with comments and carriage returns, reads the same', async () => {
  const { model } = await upstream(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const bytes = Buffer.from(`: alive\r\n\r\n${completion(['Grüße', ' 😀']).replaceAll('\n', '\r\n')}`);
    for (const byte of bytes) response.write(Uint8Array.of(byte));
    response.end();
  });
  expect((await model.answer(request)).text).toBe('Grüße 😀');
});

test('the time to the first token is that of the first content', async () => {
  const first = Promise.withResolvers<void>();
  const { model } = await upstream(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n`);
    await first.promise;
    response.write(delta('Hi'));
    response.end(`${delta('', 'stop')}data: [DONE]\n\n`);
  });
  setTimeout(() => first.resolve(), 60);
  const reply = await model.answer(request);
  expect(reply.timeToFirstTokenMs).toBeGreaterThan(50);
  // No usage was reported: pieces are counted.
  expect(reply).toMatchObject({ promptTokens: 0, outputTokens: 1 });
});

test('an empty answer has no first token', async () => {
  const { model } = await upstream((response) => void response.writeHead(200).end(completion([])));
  expect(await model.answer(request)).toMatchObject({ text: '', timeToFirstTokenMs: null, outputTokens: 0 });
});

test('an overloaded endpoint is asked again, after as long as it says', async () => {
  const { model, waits, requests } = await upstream((response, call, asked) => {
    if (call === 0) response.writeHead(429, { 'retry-after': '7' }).end();
    else if (call === 1) response.writeHead(503, { 'retry-after': new Date(Date.now() + 30_000).toUTCString() }).end();
    else if (call === 2) response.writeHead(500).end();
    else void answering(response, call, asked);
  });
  expect((await model.answer(request)).text).toBe('A twin is… 😀');
  expect(requests).toHaveLength(4);
  expect(waits[0]).toBe(7000);
  expect(waits[1]).toBeGreaterThan(28_000);
  expect(waits[1]).toBeLessThanOrEqual(30_000);
  expect(waits[2]).toBeGreaterThanOrEqual(1000);
  expect(waits[2]).toBeLessThanOrEqual(3000);
});

test('after four tries, or when it asks for too long a pause, an endpoint counts as unavailable', async () => {
  const busy = await upstream((response) => void response.writeHead(503).end('loading model'));
  expect(await problemOf(busy.model.answer(request))).toEqual({
    reason: 'upstream-unavailable',
    message: `The chat endpoint ${busy.place}/v1 does not answer.`,
    where: 'chatModel',
    found: '503 loading model, 4 times',
    hint: again,
    exit: 1,
  });
  const limited = await upstream((response) => void response.writeHead(429, { 'retry-after': '3600' }).end('quota'));
  expect((await problemOf(limited.model.answer(request))).found).toBe('429 quota, 1 times');
  expect(limited.waits).toEqual([]);
});

test.each([
  [401, 'upstream-refused', 'refused the key', check, 2],
  [404, 'upstream-unknown', 'does not know the address or the model tiny', check, 2],
  [400, 'upstream-rejected', 'rejected the request', again, 1],
])('status %i is told as %s, at once and without the key', async (status, reason, what, hint, exit) => {
  const { model, place, requests } = await upstream((response) => void response.writeHead(status).end('bad: sk-123'), {
    apiKey: async () => 'sk-123',
  });
  expect(await problemOf(model.answer(request))).toEqual({
    reason,
    message: `The chat endpoint ${place}/v1 ${what}.`,
    where: 'chatModel',
    found: `${status} bad: …`,
    hint,
    exit,
  });
  expect(requests).toHaveLength(1);
});

test('a key that cannot be read stops the request before anything is sent', async () => {
  const { model, requests } = await upstream(answering, { apiKey: () => Promise.reject(new Error('no key')) });
  await expect(model.answer(request)).rejects.toThrow('no key');
  expect(requests).toEqual([]);
});

test('a stream that ends before the answer does is an error, and not a short answer', async () => {
  const { model } = await upstream((response) => void response.writeHead(200).end(delta('A twin')));
  expect(await problemOf(model.answer(request))).toMatchObject({ reason: 'upstream-cut', found: '1 pieces, and no end' });
  const broken = await upstream((response) => {
    response.writeHead(200).write(delta('A twin'), () => response.destroy());
  });
  expect((await problemOf(broken.model.answer(request))).reason).toBe('upstream-cut');
});

test.each([
  ['data: {"error":{"message":"out of memory"}}\n\n', 'upstream-failed', 'out of memory'],
  ['data: <html>\n\n', 'upstream-invalid', '<html>'],
])('%j in a stream is told', async (line, reason, found) => {
  const { model } = await upstream((response) => void response.writeHead(200).end(line));
  expect(await problemOf(model.answer(request))).toMatchObject({ reason, found });
});

test('an endpoint that falls silent is given up', async () => {
  const { model } = await upstream((response) => void response.writeHead(200).write(delta('A')), { silenceMs: 80 });
  expect(await problemOf(model.answer(request))).toMatchObject({ reason: 'upstream-silent', found: 'nothing for 0.08 seconds' });
});

test('an endpoint that is not there is told after four tries', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const wait = async () => {};
  const model = openAiCompatibleChatModel({ url: `http://ann:pass@127.0.0.1:${port}/v1/`, model: 'tiny', wait });
  expect(await problemOf(model.answer(request))).toEqual({
    reason: 'upstream-unreachable',
    message: `The chat endpoint 127.0.0.1:${port}/v1 could not be reached.`,
    where: 'chatModel',
    found: `connect ECONNREFUSED 127.0.0.1:${port}, 4 times`,
    hint: again,
    exit: 1,
  });
});
