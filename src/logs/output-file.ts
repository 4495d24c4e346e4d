import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { createMasker } from '../contracts/masking.ts';

/** Where a line came from. */
export type OutputStream = 'stdout' | 'stderr';

/** How much of an attempt's output is kept: its beginning, and its end once the beginning is full. */
export interface OutputLimits {
  readonly headBytes: number;
  readonly tailBytes: number;
}

const defaultLimits: OutputLimits = { headBytes: 8_000_000, tailBytes: 256_000 };
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const names = { stdout: 'out', stderr: 'err' } as const;

/**
 * Keeps what one attempt prints, in the order in which it came: `<time> out <text>`, with `out+` where a line goes on that the other stream broke into.
 * What is printed is with the system before the printing step goes on, so that a kill -9 takes nothing along. Secrets are masked;
 * past the limit only the last lines are kept.
 */
export class OutputFile {
  readonly #path: string;
  readonly #limits: OutputLimits;
  readonly #now: () => number;
  /** A secret may come in two pieces, and so may a character. */
  readonly #inputs = { stdout: newInput(), stderr: newInput() };
  #file: number | null = null;
  #written = 0;
  /** The stream whose line is not ended yet. */
  #open: OutputStream | null = null;
  /** A line of the other stream was broken into and goes on. */
  #broken: OutputStream | null = null;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #leftOut = 0;

  constructor(
    path: string,
    { limits = defaultLimits, now = Date.now }: { readonly limits?: OutputLimits; readonly now?: () => number } = {},
  ) {
    this.#path = path;
    this.#limits = limits;
    this.#now = now;
  }

  /** Takes what was printed, whole lines or not. A disk that is full loses lines, never the step. */
  write(stream: OutputStream, chunk: string | Uint8Array): void {
    const input = this.#inputs[stream];
    this.#take(stream, input.masker.write(typeof chunk === 'string' ? chunk : input.decoder.write(Buffer.from(chunk))));
  }

  #take(stream: OutputStream, text: string): void {
    if (text === '') return;
    const bytes = Buffer.from(text);
    const pieces: Buffer[] = [];
    if (this.#open !== null && this.#open !== stream) {
      pieces.push(Buffer.from('\n'));
      this.#broken = this.#open;
      this.#open = null;
    }
    const stamp = (): Buffer => {
      const goesOn = this.#broken === stream;
      if (goesOn) this.#broken = null;
      return Buffer.from(`${new Date(this.#now()).toISOString()} ${names[stream]}${goesOn ? '+' : ''} `);
    };
    for (let start = 0; start < bytes.length;) {
      const end = lineEnd(bytes, start);
      if (this.#open === null) pieces.push(stamp());
      pieces.push(bytes.subarray(start, end.text));
      if (end.next > end.text) pieces.push(Buffer.from('\n'));
      this.#open = end.next > end.text ? null : stream;
      start = end.next;
    }
    this.#keep(Buffer.concat(pieces));
  }

  /** Writes the last lines that were kept back, and how much is missing before them. */
  close(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const { masker, decoder } = this.#inputs[stream];
      this.#take(stream, masker.write(decoder.end()) + masker.end());
    }
    if (this.#leftOut > 0) {
      const missing = this.#leftOut - this.#tailBytes;
      if (missing > 0) this.#put(this.#mark(`${missing} bytes are left out here`));
      this.#put(Buffer.concat(this.#tail));
    }
    if (this.#file !== null && this.#file >= 0) closeSync(this.#file);
    this.#file = -1;
  }

  #keep(bytes: Buffer): void {
    if (this.#leftOut === 0 && this.#written + bytes.length <= this.#limits.headBytes) {
      this.#put(bytes);
      return;
    }
    if (this.#leftOut === 0) {
      this.#put(this.#mark(`${this.#limits.headBytes} bytes are kept; of what follows, only the end, once the attempt has ended`));
    }
    this.#leftOut += bytes.length;
    this.#tail.push(bytes);
    this.#tailBytes += bytes.length;
    while (this.#tail.length > 1 && this.#tailBytes - this.#tail[0]!.length >= this.#limits.tailBytes)
      this.#tailBytes -= this.#tail.shift()!.length;
    if (this.#tailBytes > 2 * this.#limits.tailBytes) {
      this.#tail = [this.#tail[0]!.subarray(-this.#limits.tailBytes)];
      this.#tailBytes = this.#tail[0]!.length;
    }
  }

  #mark(text: string): Buffer {
    return Buffer.from(`${this.#open === null ? '' : '\n'}${new Date(this.#now()).toISOString()} --- ${text}\n`);
  }

  #put(bytes: Buffer): void {
    try {
      if (this.#file === null) {
        mkdirSync(dirname(this.#path), { recursive: true });
        this.#file = openSync(this.#path, 'a');
      }
      if (this.#file < 0) return;
      for (let start = 0; start < bytes.length;) start += writeSync(this.#file, bytes, start);
      this.#written += bytes.length;
    } catch {
      // The log is no reason to fail.
    }
  }
}

function newInput() {
  return { masker: createMasker(), decoder: new StringDecoder('utf8') };
}

/** Where the line that begins at `start` ends, and where the next one begins; a progress bar ends its lines by a carriage return. */
function lineEnd(bytes: Buffer, start: number): { readonly text: number; readonly next: number } {
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] === lineFeed) return { text: at, next: at + 1 };
    if (bytes[at] === carriageReturn) return { text: at, next: bytes[at + 1] === lineFeed ? at + 2 : at + 1 };
  }
  return { text: bytes.length, next: bytes.length };
}
