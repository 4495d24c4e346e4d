import { sha256 } from './digest.ts';

/**
 * The one template between an instruction and a model, used alike by training, evaluation and serving: Alpaca's, without its input.
 * `{instruction}` is replaced once; the answer follows directly and ends with the tokenizer's end token.
 */
export const promptTemplate = `Below is an instruction that describes a task. Write a response that appropriately completes the request.

### Instruction:
{instruction}

### Response:
`;

/** Stored with every model, and compared whenever a model is loaded. */
export const promptTemplateDigest = sha256(promptTemplate);
