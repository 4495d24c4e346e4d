import { writeFile } from 'node:fs/promises';

/** A tensor to be written: 32-bit floats. */
export interface WrittenTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Writes a safetensors file of 32-bit floats. */
export async function writeSafetensors(path: string, tensors: Readonly<Record<string, WrittenTensor>>): Promise<void> {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const bytes = Buffer.from(new Float32Array(values).buffer);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
    parts.push(bytes);
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(path, Buffer.concat([length, text, ...parts]));
}
