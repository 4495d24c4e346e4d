import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { ChatModel, ChatModels } from '../../ports/chat-model.ts';
import { answerQuestion } from '../../retrieval/answer.ts';
import { lexicalTerms } from '../../text/lexical.ts';
import { type CommandContext, done, refused, wholeNumber } from '../context.ts';
import { findModel } from '../find-model.ts';
import { openSession, type Session } from '../session.ts';

/** Options of `twin ask`. */
export interface AskOptions {
  readonly passages: string;
  readonly model?: string;
}

/** `twin ask <question…>`: the passages that answer a question, and an answer in words where there is a model. */
export async function ask(context: CommandContext, options: AskOptions, ...words: readonly string[]): Promise<CommandOutcome> {
  const passages = wholeNumber('--passages', options.passages);
  if (typeof passages !== 'number') return refused([passages]);
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { config, wired } = session.value;
  const models = await wired.ports.open('chatModels');
  const answerer = options.model === undefined ? models.configured : await registeredModel(session.value, models, options.model);
  const [embedder, vectorIndex, reranker] = [
    await wired.ports.open('embedder'),
    await wired.ports.open('vectorIndex'),
    await wired.ports.open('reranker'),
  ];
  const { answer } = await answerQuestion(
    {
      question: words.join(' '),
      tenant: config.tenant,
      index: config.index,
      passages,
      answerer,
      terms: lexicalTerms,
      signal: context.signal,
    },
    // A registered model is named for the answer alone; only the configured one may rewrite the question.
    { embedder, vectorIndex, reranker, model: models.configured },
  );
  return done(answer);
}

async function registeredModel({ wired }: Session, models: ChatModels, name: string): Promise<ChatModel> {
  const { artifacts, metadata } = await wired.stores();
  const model = await findModel(metadata, name);
  return await models.open({ folder: await artifacts.localPath('folder', model.weights), identity: `${model.name}@${model.version}` });
}
