import { promptTemplateDigest } from '../../contracts/prompt-template.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { ChatModel } from '../../ports/chat-model.ts';
import type { PythonRuntime } from '../../workers/python-runtime.ts';
import { pythonService } from '../../workers/service.ts';

/** A model folder, and what names it. */
export interface PythonChatModelOptions {
  readonly runtime: PythonRuntime;
  readonly folder: string;
  readonly identity: string;
}

/** A model in a service of its own, which ends when disposed of. */
export interface PythonChatModel extends ChatModel, AsyncDisposable {
  /** Resolves when the model is loaded; throws a ProblemError where it cannot be, or was trained with another prompt template. */
  ready(): Promise<void>;
}

/** A registered model, served by Python; the template that it was trained with is compared whenever it is loaded. */
export function pythonChatModel({ runtime, folder, identity }: PythonChatModelOptions): PythonChatModel {
  const service = pythonService(runtime, 'chat-model', { method: 'load', data: { folder, promptTemplateDigest } });
  return {
    identity,
    ready: () => service.ready(),

    async answer({ instruction, maxNewTokens, temperature, seed, signal }) {
      // A service that had gone idle is started first: its start is not the model's time.
      await service.ready();
      const start = performance.now();
      let timeToFirstTokenMs: number | null = null;
      const onPiece = () => {
        timeToFirstTokenMs ??= performance.now() - start;
      };
      const data = { instruction, maxNewTokens, temperature, seed };
      const { text, promptTokens, outputTokens, cut } = await service.request('answer', data, {
        idempotent: true,
        onPiece,
        ...(signal && { signal }),
      });
      if (typeof text !== 'string' || typeof promptTokens !== 'number' || typeof outputTokens !== 'number' || typeof cut !== 'number') {
        throw new ProblemError({
          reason: 'answer-invalid',
          message: 'The chat-model service answered with something that is no answer.',
          exit: 1,
        });
      }
      return { text, promptTokens, promptTokensCut: cut, outputTokens, timeToFirstTokenMs, latencyMs: performance.now() - start };
    },

    [Symbol.asyncDispose]: () => service.dispose(),
  };
}
