import { digestOf } from '../contracts/digest.ts';
import { payloadVersion } from './points.ts';

/** Everything but the documents that decides what an index holds. */
export interface IndexFingerprint {
  /** Digests of the cleaning and chunking steps: code, version, params and ports. */
  readonly clean: string;
  readonly chunk: string;
  readonly tokenizer: string;
  readonly embedder: string;
  /** Names how sparse terms are made of text. */
  readonly terms: string;
}

/** The name of an index with a fingerprint: another fingerprint is another generation, built beside the first. */
export function nameOf(index: string, fingerprint: IndexFingerprint): string {
  return `${index}-${digestOf({ ...fingerprint, payloadVersion }).slice(0, 12)}`;
}
