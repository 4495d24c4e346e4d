import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../contracts/problem.ts';
import { ProblemError } from '../contracts/problem.ts';
import { readTensors } from './safetensors.ts';

/** Formats that run code when they are loaded: never taken in. */
const pickled = /\.(bin|pt|pth|ckpt|pkl|pickle|joblib|msgpack|h5)$/i;

/** What a model folder says of itself. */
export interface ImportedFolder {
  /** `model_type` of config.json. */
  readonly architecture: string;
  readonly parameters: number;
  /** The licence that its card names; null where it names none. */
  readonly licence: string | null;
}

/** Looks a model folder over before it is taken in: weights as whole safetensors, nothing pickled, a configuration and a tokenizer. All problems at once. */
export async function inspectFolder(folder: string): Promise<ImportedFolder> {
  const files = await stat(folder)
    .then((found) => (found.isDirectory() ? readdir(folder, { recursive: true }) : null))
    .catch(() => null);
  if (!files)
    throw new ProblemError(problem(folder, 'There is no such folder', 'a folder with config.json, a tokenizer and *.safetensors'));
  const weights = files.filter((file) => file.endsWith('.safetensors')).toSorted();
  const unsafe = files.filter((file) => pickled.test(file));
  if (unsafe.length > 0)
    throw new ProblemError(problem(folder, 'It holds files that run code when they are loaded', 'safetensors alone', unsafe.join(', ')));
  if (weights.length === 0) throw new ProblemError(problem(folder, 'It holds no weights', '*.safetensors', files.join(', ') || 'nothing'));
  const missing = ['config.json', 'tokenizer.json'].filter((file) => !files.includes(file));
  if (missing.length > 0) throw new ProblemError(problem(folder, `It lacks ${missing.join(' and ')}`, 'both beside the weights'));
  const config = await readFile(join(folder, 'config.json'), 'utf8').then((text) => JSON.parse(text) as { model_type?: string });
  const tensors = (await Promise.all(weights.map((file) => readTensors(join(folder, file))))).flat();
  return {
    architecture: config.model_type ?? 'unknown',
    parameters: tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
    licence: await licenceOf(folder),
  };
}

/** The licence in the front matter of a model card. */
async function licenceOf(folder: string): Promise<string | null> {
  const card = await readFile(join(folder, 'README.md'), 'utf8').catch(() => '');
  return /^---\n(?:.*\n)*?license: *(\S+)/m.exec(card)?.[1] ?? null;
}

function problem(folder: string, message: string, expected: string, found?: string): Problem {
  return {
    reason: 'not-a-model',
    message: `${folder} cannot be registered: ${message[0]!.toLowerCase()}${message.slice(1)}`,
    where: folder,
    expected,
    ...(found !== undefined && { found }),
    hint: 'Save the model with save_pretrained(…, safe_serialization=True), its tokenizer beside it',
    exit: 2,
  };
}
