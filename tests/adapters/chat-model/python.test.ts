import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tmpdir } from 'node:os';
import { openChatModels } from '../../../src/adapters/chat-model/models.ts';
import { promptTemplate, promptTemplateDigest } from '../../../src/contracts/prompt-template.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import { workerVariables } from '../../../src/workers/python-runtime.ts';
import { chatModelConformance } from '../../conformance/chat-model.ts';
import { builtEnvironment, skipWithout } from '../../support/python.ts';

const runtime = builtEnvironment();

// A model of random weights: what it says means nothing, and is the same each time.
const makeModel = `
import sys
from pathlib import Path
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed
from twin_workers.model_folder import save_model, write_card
folder = Path(sys.argv[1])
template = {"text": sys.argv[2], "digest": sys.argv[3]}
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
tokenizer.train_from_iterator(["a twin"], trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, special_tokens=["<pad>", "<end>"]))
set_seed(7)
shape = LlamaConfig(vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=128)
save_model(LlamaForCausalLM(shape), PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<end>"), folder, template)
write_card(folder, "base", True, template)
`;

if (runtime === null) skipWithout('the Python environment of the workers');

describe.skipIf(runtime === null)('a model folder', () => {
  let folder: string;
  const open = () => openChatModels({ runtime: runtime!, config: { kind: 'none' } });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'twin-model-'));
    const { python } = await runtime!.ready();
    execFileSync(python, ['-c', makeModel, folder, promptTemplate, promptTemplateDigest], {
      env: workerVariables(runtime!.workersFolder),
      cwd: runtime!.workersFolder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }, 180_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  chatModelConformance('The Python chat model', async () => {
    const models = open();
    return { models, model: await models.open({ folder, identity: 'tiny-v1' }) };
  });

  test(
    'opened twice it is one; a prompt longer than its context is cut, and the reply says by how much',
    { timeout: 180_000 },
    async () => {
      await using models = open();
      const [model, second] = await Promise.all([
        models.open({ folder, identity: 'tiny-v1' }),
        models.open({ folder, identity: 'tiny-v1' }),
      ]);
      expect(second).toBe(model);
      expect(model.identity).toBe('tiny-v1');
      const reply = await model.answer({ instruction: 'word '.repeat(100), maxNewTokens: 8, temperature: 0.7, seed: 7 });
      expect(reply.promptTokens).toBe(120);
      expect(reply.promptTokensCut).toBeGreaterThan(300);
    },
  );

  test('a model that was trained with another prompt template is refused when it is opened', { timeout: 180_000 }, async () => {
    const card = join(folder, 'twin.json');
    const original = await readFile(card, 'utf8');
    await writeFile(card, original.replaceAll(promptTemplateDigest, '0'.repeat(64)));
    await using models = open();
    const { problem } = (await models.open({ folder, identity: 'tiny-v1' }).catch((error: unknown) => error)) as ProblemError;
    await writeFile(card, original);
    expect(problem).toEqual({
      reason: 'model',
      message: `The chat-model service: ${folder} was trained with another prompt template: expected ${promptTemplateDigest.slice(0, 12)}, found 000000000000`,
      exit: 1,
    });
  });
});
