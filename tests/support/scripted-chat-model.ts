import type { ChatModel, ChatModels, ChatRequest } from '../../src/ports/chat-model.ts';

/** A chat model that replies what it was told to, in order, and notes what it was asked. A fake, where a real model would need a GPU or an account. */
export function scriptedChatModel(...replies: readonly string[]): ChatModel & { readonly asked: ChatRequest[] } {
  const asked: ChatRequest[] = [];
  return {
    identity: 'scripted',
    asked,
    async answer(request) {
      asked.push(request);
      const text = replies[asked.length - 1] ?? '';
      return { text, promptTokens: 10, outputTokens: text.length, timeToFirstTokenMs: 2, latencyMs: 10 };
    },
  };
}

/** Chat models whose registered ones all are the given model. */
export function scriptedChatModels(opened: ChatModel, configured: ChatModel | null = null): ChatModels {
  return { identity: configured?.identity ?? 'none', configured, open: async () => opened };
}
