import type { ChatReply } from '../ports/chat-model.ts';

/**
 * Time per output token: (latency - time to first token) / (output tokens - 1), in milliseconds.
 * Null below two tokens, where there is no gap to measure.
 */
export function timePerOutputToken(reply: Pick<ChatReply, 'latencyMs' | 'timeToFirstTokenMs' | 'outputTokens'>): number | null {
  if (reply.timeToFirstTokenMs === null || reply.outputTokens < 2) return null;
  return (reply.latencyMs - reply.timeToFirstTokenMs) / (reply.outputTokens - 1);
}

/** Median and 95th percentile (nearest rank) of values; null of none. */
export function percentiles(values: readonly number[]): { readonly median: number; readonly percentile95: number } | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1]!;
  return { median: at(0.5), percentile95: at(0.95) };
}
