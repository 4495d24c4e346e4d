import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readNumbers, readTensors } from '../../src/registry/safetensors.ts';
import { weightDifference } from '../../src/registry/weight-difference.ts';
import { writeSafetensors } from '../support/safetensors.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('norms are those of each layer, over all of its tensors', async () => {
  const folder = await temporaryFolder();
  const [one, two] = [join(folder, 'one'), join(folder, 'two')];
  await Promise.all([mkdir(one), mkdir(two)]);
  const tensors = (moved: number) => ({
    'model.layers.0.mlp.up_proj.weight': { shape: [2], values: [3, 0] },
    'model.layers.0.mlp.down_proj.weight': { shape: [2], values: [0, 4 + moved] },
    'model.embed_tokens.weight': { shape: [1], values: [2] },
  });
  await writeSafetensors(join(one, 'model.safetensors'), { ...tensors(0), 'model.norm.weight': { shape: [1], values: [1] } });
  await writeSafetensors(join(two, 'model.safetensors'), tensors(1));
  expect(await weightDifference(one, two)).toEqual({
    layers: [
      { layer: 'embed_tokens', parameters: 1, norm: 2, difference: 0 },
      { layer: 'layers.0', parameters: 4, norm: 5, difference: 1 },
    ],
    incomparable: ['model.norm.weight'],
  });
});

test('halves of 16 bits are read as what they stand for', async () => {
  const path = join(await temporaryFolder(), 'half.safetensors');
  const header = Buffer.from(
    JSON.stringify({ a: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] }, b: { dtype: 'F16', shape: [1], data_offsets: [4, 6] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  // 1.0 and -2.0 as bfloat16, 0.5 as IEEE half.
  await writeFile(path, Buffer.concat([length, header, Buffer.from([0x80, 0x3f, 0x00, 0xc0, 0x00, 0x38])]));
  const numbers: Record<string, number[]> = {};
  for (const tensor of await readTensors(path)) for await (const part of readNumbers(path, tensor)) numbers[tensor.name] = [...part];
  expect(numbers).toEqual({ a: [1, -2], b: [0.5] });
});

test('a file that is cut short or is something else is a problem that names it', async () => {
  const path = join(await temporaryFolder(), 'model.safetensors');
  await writeSafetensors(path, { weight: { shape: [4], values: [1, 2, 3, 4] } });
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, -3));
  await expect(readTensors(path)).rejects.toMatchObject({ problem: { reason: 'broken-weights', found: 'it ends before its tensors do' } });
  await writeFile(path, 'pickle');
  await expect(readTensors(path)).rejects.toMatchObject({ problem: { reason: 'broken-weights', where: path, exit: 1 } });
});
