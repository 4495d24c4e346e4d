import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatModel, ChatModels } from '../../src/ports/chat-model.ts';

/** What every chat model must do. The factory opens chat models and one model of them. */
export function chatModelConformance(
  name: string,
  open: () => Promise<{ readonly models: ChatModels & AsyncDisposable; readonly model: ChatModel }>,
): void {
  describe(`${name} keeps the contract of a chat model`, () => {
    let model: ChatModel;
    let models: ChatModels & AsyncDisposable;
    beforeAll(async () => {
      ({ model, models } = await open());
    }, 180_000);
    afterAll(async () => {
      await models[Symbol.asyncDispose]();
      await models[Symbol.asyncDispose]();
    });
    const request = { instruction: 'Was heißt „Grüße“? 😀', maxNewTokens: 12, temperature: 0, seed: 7 };

    test('it says which it is', () => {
      expect(model.identity).toMatch(/\S/);
      expect(models.identity).toBe(models.configured?.identity ?? 'none');
    });

    test('an answer has its tokens counted and its time taken', async () => {
      const reply = await model.answer(request);
      expect(reply.promptTokens).toBeGreaterThan(0);
      expect(reply.outputTokens).toBeLessThanOrEqual(12);
      expect(reply.latencyMs).toBeGreaterThan(0);
      expect(reply.timeToFirstTokenMs === null).toBe(reply.text === '');
      expect(reply.timeToFirstTokenMs ?? 0).toBeLessThanOrEqual(reply.latencyMs);
    });

    test('a greedy answer is the same each time, also beside another one', async () => {
      const [first, , again] = await Promise.all([
        model.answer(request),
        model.answer({ ...request, instruction: 'Another' }),
        model.answer(request),
      ]);
      expect(again.text).toBe(first.text);
    });

    test('an answer that is no longer wanted is given up', async () => {
      const gone = AbortSignal.abort(new Error('stopped by the user'));
      await expect(model.answer({ ...request, signal: gone })).rejects.toThrow('stopped by the user');
      const controller = new AbortController();
      const asked = model.answer({ ...request, signal: controller.signal });
      controller.abort(new Error('stopped later'));
      await expect(asked).rejects.toThrow('stopped later');
    });
  });
}
