import { type FileHandle, open } from 'node:fs/promises';

const chunkBytes = 256 * 1024;

/** A text file that may still be written, read a piece at a time. */
export class GrowingFile {
  readonly path: string;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.path = path;
  }

  /** The lines that were completed since the last call, in batches; none while there is no such file. */
  async *lines(): AsyncGenerator<readonly string[]> {
    const file = await this.#open();
    if (file === null) return;
    try {
      // Its writer has begun anew: the older part was taken away.
      if ((await file.stat()).size < this.#position) this.#position = 0;
      const buffer = Buffer.alloc(chunkBytes);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, chunkBytes, this.#position);
        if (bytesRead === 0) return;
        this.#position += bytesRead;
        const bytes = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
        const end = bytes.lastIndexOf(0x0a);
        this.#rest = Buffer.from(bytes.subarray(end + 1));
        if (end >= 0) yield bytes.toString('utf8', 0, end).split('\n');
      }
    } finally {
      await file.close();
    }
  }

  /** What stands after the last complete line: all that will ever come of it, where its writer is gone. */
  rest(): string | null {
    const text = this.#rest.toString('utf8');
    this.#rest = Buffer.alloc(0);
    return text === '' ? null : text;
  }

  /** Has the next read begin this many bytes before the end: within a line, where the file is longer. */
  async skipTo(lastBytes: number): Promise<void> {
    const file = await this.#open();
    if (file === null) return;
    const { size } = await file.stat();
    await file.close();
    this.#position = Math.max(0, size - lastBytes);
  }

  async #open(): Promise<FileHandle | null> {
    return open(this.path).catch(() => null);
  }
}
