import { sha256 } from './digest.ts';

/**
 * The one template between an instruction and a model, used alike by training, evaluation and serving.
 * `{instruction}` is replaced once; the answer follows directly and ends with the tokenizer's end token.
 */
export const promptTemplate = '### Instruction:\n{instruction}\n\n### Response:\n';

/** Stored with every model, and compared whenever a model is loaded. */
export const promptTemplateDigest = sha256(promptTemplate);
