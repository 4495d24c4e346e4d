import { expect, test } from 'vitest';
import { promptTemplate } from '../../src/contracts/prompt-template.ts';
import { ollamaFile } from '../../src/registry/ollama-file.ts';

test('a Modelfile serves a version with the template that it was trained with', () => {
  const facts = { reference: 'twin@1', weights: 'model.gguf', template: promptTemplate, endToken: '<|twin-end|>', contextLength: 512 };
  expect(ollamaFile(facts)).toBe(`# twin@1
FROM ./model.gguf
TEMPLATE """Below is an instruction that describes a task. Write a response that appropriately completes the request.

### Instruction:
{{ .Prompt }}

### Response:
"""
PARAMETER stop "<|twin-end|>"
PARAMETER num_ctx 512
`);
  expect(ollamaFile({ ...facts, endToken: null, contextLength: null })).not.toContain('PARAMETER');
});
