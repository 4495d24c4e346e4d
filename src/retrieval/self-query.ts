import { z } from 'zod';
import type { ChatModel } from '../ports/chat-model.ts';
import type { PointFilter } from '../ports/vector-index.ts';

/** Values that a question may speak of. Only these can become a filter: nothing is invented and nothing is stored. */
export interface KnownFacets {
  readonly authors: readonly { readonly id: string; readonly name: string }[];
  readonly platforms: readonly string[];
}

const Reply = z.object({ author: z.string().nullish(), platform: z.string().nullish() });

/** Asks a chat model whether the question speaks of one known author or platform; no condition where it does not, or the reply is not readable. */
export async function deriveFilter(question: string, facets: KnownFacets, model: ChatModel, signal?: AbortSignal): Promise<PointFilter> {
  if (facets.authors.length === 0 && facets.platforms.length === 0) return {};
  const reply = await model.answer({
    instruction:
      'Does the question below ask for texts of one particular author or platform of these lists? ' +
      'Reply with JSON alone: {"author": name or null, "platform": name or null}.\n\n' +
      `Authors: ${facets.authors.map(({ name }) => name).join(', ')}\nPlatforms: ${facets.platforms.join(', ')}\n\nQuestion: ${question}`,
    maxNewTokens: 64,
    temperature: 0,
    seed: 7,
    ...(signal && { signal }),
  });
  const found = readReply(reply.text);
  const authorIds = facets.authors.filter(({ name }) => name === found.author).map(({ id }) => id);
  const platforms = facets.platforms.filter((platform) => platform === found.platform);
  return { ...(authorIds.length > 0 && { authorIds }), ...(platforms.length > 0 && { platforms }) };
}

function readReply(text: string): z.output<typeof Reply> {
  try {
    return Reply.parse(JSON.parse(/\{[^}]*\}/.exec(text)?.[0] ?? '{}'));
  } catch {
    return {};
  }
}

/** A hard filter narrowed by a derived one: a condition of the hard filter is kept as it is, never widened or replaced. */
export function narrow(hard: PointFilter, derived: PointFilter): PointFilter {
  return { ...derived, ...hard };
}
