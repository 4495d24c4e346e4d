import { open } from 'node:fs/promises';
import { ProblemError } from '../contracts/problem.ts';

/** Bytes of one number by its type; what is not here is counted and not read. Format: github.com/huggingface/safetensors. */
const widths = { F64: 8, F32: 4, F16: 2, BF16: 2 } as const;

/** A tensor in a safetensors file: its type, its shape, and where its bytes lie in the file. */
export interface Tensor {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** A header is JSON of a size that the format limits to 100 MB. */
const longestHeader = 100_000_000;
const bytesAtOnce = 1 << 22;

/** The tensors that a safetensors file holds, sorted by name; a problem where it is no such file, or is cut short. */
export async function readTensors(path: string): Promise<readonly Tensor[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const length = Buffer.alloc(8);
    await file.read(length, 0, 8, 0);
    const headerBytes = size >= 8 ? Number(length.readBigUInt64LE()) : Number.NaN;
    if (!(headerBytes <= longestHeader && 8 + headerBytes <= size)) throw broken(path, 'its header does not fit into it');
    const header = Buffer.alloc(headerBytes);
    await file.read(header, 0, headerBytes, 8);
    const tensors = tensorsIn(header.toString('utf8'), 8 + headerBytes, path);
    if (tensors.some(({ end }) => end > size)) throw broken(path, 'it ends before its tensors do');
    return tensors.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  } finally {
    await file.close();
  }
}

function tensorsIn(header: string, offset: number, path: string): readonly Tensor[] {
  try {
    const entries = Object.entries(
      JSON.parse(header) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>,
    );
    return entries
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [start, end],
          },
        ]) => ({ name, type: dtype, shape, start: offset + start, end: offset + end }),
      );
  } catch {
    throw broken(path, 'its header cannot be read');
  }
}

/** The numbers of a tensor in parts, as 64-bit floats; nothing for types that hold no floats. */
export async function* readNumbers(path: string, tensor: Tensor): AsyncGenerator<Float64Array> {
  const width = widths[tensor.type as keyof typeof widths];
  if (width === undefined) return;
  const file = await open(path);
  try {
    for (let at = tensor.start; at < tensor.end; at += bytesAtOnce) {
      const bytes = Buffer.alloc(Math.min(bytesAtOnce, tensor.end - at));
      await file.read(bytes, 0, bytes.length, at);
      yield numbersOf(bytes, tensor.type as keyof typeof widths, width);
    }
  } finally {
    await file.close();
  }
}

function numbersOf(bytes: Buffer, type: keyof typeof widths, width: number): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = new Float64Array(bytes.length / width);
  for (let index = 0; index < numbers.length; index++) {
    const at = index * width;
    if (type === 'F32') numbers[index] = view.getFloat32(at, true);
    else if (type === 'F64') numbers[index] = view.getFloat64(at, true);
    else if (type === 'F16') numbers[index] = view.getFloat16(at, true);
    else numbers[index] = brainFloat(view.getUint16(at, true));
  }
  return numbers;
}

const float = new DataView(new ArrayBuffer(4));

/** A bfloat16 is the upper half of a 32-bit float. */
function brainFloat(bits: number): number {
  float.setUint32(0, bits << 16);
  return float.getFloat32(0);
}

function broken(path: string, found: string): ProblemError {
  return new ProblemError({
    reason: 'broken-weights',
    message: `${path} cannot be read as safetensors`,
    where: path,
    expected: 'a whole safetensors file',
    found,
    hint: 'Copy or download it again',
    exit: 1,
  });
}
