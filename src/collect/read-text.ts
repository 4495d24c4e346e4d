import { open, type FileHandle } from 'node:fs/promises';
import type { Finding } from './finding.ts';

/** The text of a file, or why it has none. */
export type TextRead = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly finding: Finding };

/** Bytes looked at for a NUL before the rest is read. */
const probeBytes = 8192;

/** Reads a whole file as UTF-8 (a byte order mark is dropped); a file of `maxBytes` or more, without text, or not UTF-8 is a finding under `address`. */
export async function readText(path: string, address: string, maxBytes: number): Promise<TextRead> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { size } = await file.stat();
    if (size >= maxBytes) {
      return finding(address, 'too-large', `${address} is too large: ${megabytes(size)}, and the limit is ${megabytes(maxBytes)}`);
    }
    const probe = await file.read(Buffer.alloc(Math.min(probeBytes, size)), 0, Math.min(probeBytes, size), 0);
    if (probe.buffer.includes(0)) return finding(address, 'binary', `${address} is binary: byte ${probe.buffer.indexOf(0)} is NUL`);
    return decode(await file.readFile(), address);
  } catch (error) {
    return finding(address, 'unreadable', `${address} cannot be read: ${codeOf(error)}`);
  } finally {
    await file?.close();
  }
}

/** Decodes bytes as UTF-8; bytes that are not are a finding that names the first of them. */
export function decode(bytes: Buffer, address: string): TextRead {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return finding(address, 'invalid-utf8', `${address} is not UTF-8: byte ${firstInvalidByte(bytes)} begins no character`);
  }
  if (text.trim() === '') return finding(address, 'empty', `${address} is empty`);
  if (text.includes('\0')) return finding(address, 'binary', `${address} is binary: it holds NUL characters`);
  return { ok: true, text };
}

function finding(address: string, reason: Finding['reason'], message: string): TextRead {
  return { ok: false, finding: { address, reason, message } };
}

const replacement = Buffer.from('\uFFFD');

/** The offset of the first byte that does not decode: decoding with replacement keeps every good prefix as it is. */
function firstInvalidByte(bytes: Buffer): number {
  const replaced = bytes.toString('utf8');
  let offset = 0;
  for (let from = 0, at = replaced.indexOf('\uFFFD'); at !== -1; from = at, at = replaced.indexOf('\uFFFD', at + 1)) {
    offset += Buffer.byteLength(replaced.slice(from, at));
    // U+FFFD may stand in the file itself.
    if (!bytes.subarray(offset, offset + 3).equals(replacement)) return offset;
  }
  return offset;
}

/** The system's code of a failed file operation (`EACCES`), else its message. */
export function codeOf(error: unknown): string {
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return String(error);
}

/** A size in megabytes of 1,000,000 bytes with one decimal, small ones in bytes. */
export function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${bytes} bytes` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
