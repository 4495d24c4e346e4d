import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { ProblemError } from '../../contracts/problem.ts';
import type { Problem } from '../../contracts/problem.ts';
import type { ChatModel, ChatReply, ChatRequest } from '../../ports/chat-model.ts';
import { serverSentData } from './server-sent-events.ts';

/** Which endpoint, which model, and where its key is found. */
export interface OpenAiCompatibleOptions {
  /** Base of the API, with its version. */
  readonly url: string;
  readonly model: string;
  /** Reads the key when a request needs it; none where the endpoint asks for none. */
  readonly apiKey?: (() => Promise<string>) | undefined;
  /** Tests wait without waiting. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
  /** Silence of the endpoint, in milliseconds, after which it counts as gone. */
  readonly silenceMs?: number;
}

const tries = 4;
const firstPauseMs = 500;
const longestPauseMs = 60_000;
const retried = new Set([408, 429, 500, 502, 503, 504, 529]);

/** A piece of a streamed completion, as far as it is read. */
const Chunk = z.object({
  choices: z
    .array(z.object({ delta: z.object({ content: z.string().nullish() }).nullish(), finish_reason: z.string().nullish() }))
    .default([]),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
  error: z.object({ message: z.string() }).nullish(),
});

/**
 * A model behind any endpoint that speaks the chat completions of OpenAI, streamed.
 * An endpoint that reports no usage is counted by its pieces for the output, and as 0 for the prompt.
 */
export function openAiCompatibleChatModel(options: OpenAiCompatibleOptions): ChatModel {
  const base = new URL(options.url);
  const place = `${base.host}${base.pathname.replace(/\/$/, '')}`;
  return {
    identity: `openai-compatible ${place} ${options.model}`,
    async answer(request) {
      const call = new Call(options, place, await options.apiKey?.());
      const response = await call.send(`${base.origin}${base.pathname.replace(/\/$/, '')}/chat/completions`, request);
      return await call.read(response, request.signal);
    },
  };
}

/** One answer: its request, tried again where that may help, and its stream. */
class Call {
  readonly #options: OpenAiCompatibleOptions;
  readonly #place: string;
  readonly #key: string | undefined;
  readonly #silence = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #start = 0;

  constructor(options: OpenAiCompatibleOptions, place: string, key: string | undefined) {
    this.#options = options;
    this.#place = place;
    this.#key = key;
  }

  /** The response whose body is the answer. */
  async send(url: string, request: ChatRequest): Promise<Response> {
    const wait = this.#options.wait ?? ((milliseconds, signal) => delay(milliseconds, undefined, signal && { signal }));
    for (let attempt = 1; ; attempt += 1) {
      this.#start = performance.now();
      this.#heard();
      const outcome = await this.#try(url, request);
      if (outcome instanceof Response && outcome.ok) return outcome;
      clearTimeout(this.#timer);
      const pause = firstPauseMs * 2 ** (attempt - 1) * (0.5 + Math.random());
      if (!(outcome instanceof Response)) {
        if (attempt === tries) throw this.#problem('upstream-unreachable', 'could not be reached', `${outcome.message}, ${tries} times`, 1);
        await wait(pause, request.signal);
        continue;
      }
      const found = `${outcome.status} ${this.#redacted((await outcome.text()).slice(0, 500))}`.trim();
      const asked = retryAfterMs(outcome.headers.get('retry-after'));
      if (!retried.has(outcome.status)) throw this.#refusal(outcome.status, found);
      if (attempt === tries || (asked ?? 0) > longestPauseMs)
        throw this.#problem('upstream-unavailable', 'does not answer', `${found}, ${attempt} times`, 1);
      await wait(asked ?? pause, request.signal);
    }
  }

  async #try(url: string, { instruction, maxNewTokens, temperature, seed, signal }: ChatRequest): Promise<Response | Error> {
    const body = {
      model: this.#options.model,
      messages: [{ role: 'user', content: instruction }],
      max_tokens: maxNewTokens,
      temperature,
      seed,
      stream: true,
      stream_options: { include_usage: true },
    };
    const headers = {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(this.#key && { authorization: `Bearer ${this.#key}` }),
    };
    try {
      const signals = [this.#silence.signal, ...(signal ? [signal] : [])];
      return await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.any(signals) });
    } catch (error) {
      signal?.throwIfAborted();
      this.#throwIfSilent();
      return (error as Error).cause instanceof Error ? ((error as Error).cause as Error) : (error as Error);
    }
  }

  /** The answer out of a stream; one that ends before the model has finished is an error. */
  async read(response: Response, signal: AbortSignal | undefined): Promise<ChatReply> {
    let text = '';
    let pieces = 0;
    let finished = false;
    let timeToFirstTokenMs: number | null = null;
    let usage: z.output<typeof Chunk>['usage'];
    try {
      for await (const data of serverSentData(response.body)) {
        this.#heard();
        if (data === '[DONE]') {
          finished = true;
          break;
        }
        const chunk = this.#parse(data);
        usage = chunk.usage ?? usage;
        for (const choice of chunk.choices.slice(0, 1)) {
          finished ||= typeof choice.finish_reason === 'string';
          const content = choice.delta?.content ?? '';
          if (content === '') continue;
          timeToFirstTokenMs ??= performance.now() - this.#start;
          pieces += 1;
          text += content;
        }
      }
    } catch (error) {
      if (error instanceof ProblemError) throw error;
      signal?.throwIfAborted();
      this.#throwIfSilent();
      // A connection that broke is told below: the answer has no end.
    } finally {
      clearTimeout(this.#timer);
    }
    const latencyMs = performance.now() - this.#start;
    if (!finished) throw this.#problem('upstream-cut', 'ended in the middle of an answer', `${pieces} pieces, and no end`, 1);
    return {
      text,
      promptTokens: usage?.prompt_tokens ?? 0,
      outputTokens: usage?.completion_tokens ?? pieces,
      timeToFirstTokenMs,
      latencyMs,
    };
  }

  #parse(data: string): z.output<typeof Chunk> {
    let chunk;
    try {
      chunk = Chunk.parse(JSON.parse(data));
    } catch {
      throw this.#problem('upstream-invalid', 'sent something that is no chat completion', this.#redacted(data.slice(0, 200)), 1);
    }
    if (chunk.error) throw this.#problem('upstream-failed', 'failed in the middle of an answer', this.#redacted(chunk.error.message), 1);
    return chunk;
  }

  /** Starts the clock of silence anew. */
  #heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silence.abort(), this.#options.silenceMs ?? 120_000);
  }

  #throwIfSilent(): void {
    const seconds = (this.#options.silenceMs ?? 120_000) / 1000;
    if (this.#silence.signal.aborted) throw this.#problem('upstream-silent', 'fell silent', `nothing for ${seconds} seconds`, 1);
  }

  #refusal(status: number, found: string): ProblemError {
    if (status === 401 || status === 403) return this.#problem('upstream-refused', 'refused the key', found, 2);
    if (status === 404) return this.#problem('upstream-unknown', `does not know the address or the model ${this.#options.model}`, found, 2);
    return this.#problem('upstream-rejected', 'rejected the request', found, 1);
  }

  #problem(reason: string, what: string, found: string, exit: Problem['exit']): ProblemError {
    const hint =
      exit === 2 ? 'Check `chatModel` with `twin config show --origin`.' : 'Check that the endpoint runs, and run the same command again.';
    return new ProblemError({ reason, message: `The chat endpoint ${this.#place} ${what}.`, where: 'chatModel', found, hint, exit });
  }

  #redacted(text: string): string {
    return this.#key ? text.replaceAll(this.#key, '…') : text;
  }
}

/** Milliseconds that a Retry-After header asks for, as seconds or as a date (RFC 9110, section 10.2.3); null where it says nothing. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  const milliseconds = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(milliseconds) ? null : Math.max(0, milliseconds);
}
