import { digestOf } from '../contracts/digest.ts';
import { lexicalTerms } from '../text/lexical.ts';
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

/** Shows each way in which a text becomes terms: another outcome is another index. */
const termsProbe = 'Vector_index of camelCase HTTPServer x86, Ünïcödé ﬁles, 東京タワー and ภาษาไทย.';

/** What an index is made with, of the steps and ports that make it. */
export function fingerprintOf(
  { clean, chunk }: { readonly clean: Identified; readonly chunk: Identified },
  { tokenizer, embedder }: { readonly tokenizer: Identified; readonly embedder: Identified },
): IndexFingerprint {
  return {
    clean: clean.identity,
    chunk: chunk.identity,
    tokenizer: tokenizer.identity,
    embedder: embedder.identity,
    terms: digestOf(lexicalTerms(termsProbe)),
  };
}

interface Identified {
  readonly identity: string;
}

/** The name of an index with a fingerprint: another fingerprint is another generation, built beside the first. */
export function nameOf(index: string, fingerprint: IndexFingerprint): string {
  return `${index}-${digestOf({ ...fingerprint, payloadVersion }).slice(0, 12)}`;
}
