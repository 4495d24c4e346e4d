/** What a model is asked. */
export interface ChatRequest {
  /** The instruction, not yet rendered into a template. */
  readonly instruction: string;
  readonly maxNewTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** What a model answered, and how long it took by the caller's monotonic clock. */
export interface ChatReply {
  readonly text: string;
  readonly promptTokens: number;
  /** Tokens of the prompt that were left out because the model's context is shorter; absent where the model does not say. */
  readonly promptTokensCut?: number;
  readonly outputTokens: number;
  /** From the request to the first token of content; null where the answer is empty. */
  readonly timeToFirstTokenMs: number | null;
  readonly latencyMs: number;
}

/** A model that answers. */
export interface ChatModel {
  /** Version, weights and template: part of the fingerprint of what is made from its answers. */
  readonly identity: string;
  answer(request: ChatRequest): Promise<ChatReply>;
}

/** Where models that answer come from. */
export interface ChatModels {
  /** Identity of the configured model, `none` without one. */
  readonly identity: string;
  /** The model that the configuration names, null where it names none: then nothing is expanded or answered in words. */
  readonly configured: ChatModel | null;
  /** A registered model out of a local folder, served by the project's own Python service. */
  open(model: { readonly folder: string; readonly identity: string }): Promise<ChatModel>;
}
