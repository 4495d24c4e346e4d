import type { ChatModel, ChatModels } from '../../ports/chat-model.ts';
import type { PythonRuntime } from '../../workers/python-runtime.ts';
import { openAiCompatibleChatModel } from './openai-compatible.ts';
import { pythonChatModel } from './python.ts';
import type { PythonChatModel } from './python.ts';

/** The chat model that a configuration names. */
export type ChatModelConfig =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'openai-compatible';
      readonly url: string;
      readonly model: string;
    };

/** Where chat models come from. */
export interface ChatModelsOptions {
  readonly runtime: PythonRuntime;
  readonly config: ChatModelConfig;
  /** Reads the key of the endpoint when a request needs it; none where it asks for none. */
  readonly apiKey?: (() => Promise<string>) | undefined;
}

/** Chat models that end their services when disposed of. */
export interface OpenedChatModels extends ChatModels, AsyncDisposable {}

/** The configured endpoint, if any, and registered models by the Python service, one process a model folder. Starts nothing. */
export function openChatModels({ runtime, config, apiKey }: ChatModelsOptions): OpenedChatModels {
  const configured = config.kind === 'none' ? null : openAiCompatibleChatModel({ url: config.url, model: config.model, apiKey });
  const opened = new Map<string, PythonChatModel>();
  return {
    identity: configured?.identity ?? 'none',
    configured,

    async open({ folder, identity }): Promise<ChatModel> {
      const key = JSON.stringify([folder, identity]);
      const model = opened.get(key) ?? pythonChatModel({ runtime, folder, identity });
      opened.set(key, model);
      await model.ready();
      return model;
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...opened.values()].map((model) => model[Symbol.asyncDispose]()));
    },
  };
}
