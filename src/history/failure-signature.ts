import { sha256 } from '../contracts/digest.ts';
import type { Problem } from '../contracts/problem.ts';

/** Names failures that are the same but for what differs each time: numbers, ids, digests and paths to temporary places. */
export function failureSignature(step: string, { reason, message }: Problem): string {
  const steady = message
    .replaceAll(/\/(?:tmp|var\/folders)\/\S+/g, '<path>')
    .replaceAll(/\b(?:[0-9a-f]{8,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/gi, '<id>')
    .replaceAll(/\d+(?:[.,:]\d+)*/g, '<number>');
  return sha256(`${step}\n${reason}\n${steady}`).slice(0, 32);
}
