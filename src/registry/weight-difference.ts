import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readNumbers, readTensors, type Tensor } from './safetensors.ts';

/** How far the weights of a layer moved between two models: Euclidean norms over all of its tensors. */
export interface LayerDifference {
  /** `embed_tokens`, `layers.0`, …, `norm`, `lm_head`. */
  readonly layer: string;
  readonly parameters: number;
  /** Norm of the layer in the first model. */
  readonly norm: number;
  /** Norm of second - first. */
  readonly difference: number;
}

/** Weights of two models layer by layer, and what only one of them has or has in another shape. */
export interface WeightDifference {
  readonly layers: readonly LayerDifference[];
  readonly incomparable: readonly string[];
}

interface Located extends Tensor {
  readonly path: string;
}

/** Compares the safetensors of two model folders, in constant memory. */
export async function weightDifference(first: string, second: string): Promise<WeightDifference> {
  const [left, right] = [await tensorsBelow(first), await tensorsBelow(second)];
  const incomparable: string[] = [...right.keys()].filter((name) => !left.has(name));
  const layers = new Map<string, { parameters: number; norm: number; difference: number }>();
  for (const [name, tensor] of left) {
    const other = right.get(name);
    if (!other || other.type !== tensor.type || other.shape.join('x') !== tensor.shape.join('x')) {
      incomparable.push(name);
      continue;
    }
    const sums = await squares(tensor, other);
    const layer = layerOf(name);
    const known = layers.get(layer) ?? { parameters: 0, norm: 0, difference: 0 };
    layers.set(layer, {
      parameters: known.parameters + sums.count,
      norm: known.norm + sums.norm,
      difference: known.difference + sums.difference,
    });
  }
  return {
    layers: [...layers].map(([layer, { parameters, norm, difference }]) => ({
      layer,
      parameters,
      norm: Math.sqrt(norm),
      difference: Math.sqrt(difference),
    })),
    incomparable: incomparable.toSorted(),
  };
}

async function tensorsBelow(folder: string): Promise<ReadonlyMap<string, Located>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.safetensors')).toSorted();
  const tensors = new Map<string, Located>();
  for (const file of files) {
    const path = join(folder, file);
    for (const tensor of await readTensors(path)) tensors.set(tensor.name, Object.assign({ path }, tensor));
  }
  return tensors;
}

async function squares(left: Located, right: Located): Promise<{ count: number; norm: number; difference: number }> {
  const sums = { count: 0, norm: 0, difference: 0 };
  const others = readNumbers(right.path, right);
  for await (const numbers of readNumbers(left.path, left)) {
    const other = (await others.next()).value as Float64Array;
    for (let index = 0; index < numbers.length; index++) {
      const [one, two] = [numbers[index]!, other[index]!];
      sums.norm += one * one;
      sums.difference += (two - one) * (two - one);
    }
    sums.count += numbers.length;
  }
  await others.return(undefined);
  return sums;
}

/** `model.layers.3.mlp.up_proj.weight` → `layers.3`; anything else by its first name below `model`. */
function layerOf(name: string): string {
  const numbered = /(?:^|\.)((?:layers|h|blocks)\.\d+)\./.exec(name);
  if (numbered) return numbered[1]!;
  return name.replace(/^(?:base_model\.)?(?:model\.)*/, '').replace(/\.(?:weight|bias)$/, '');
}
