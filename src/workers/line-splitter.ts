const lineFeed = 0x0a;

/**
 * Cuts bytes into lines at line feeds alone; a half-written last line waits for its rest.
 * Node's readline also cuts at carriage returns, which progress bars write.
 */
export class LineSplitter {
  #rest: Buffer[] = [];

  /** The lines that these bytes complete, without their line feeds. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      this.#rest.push(chunk.subarray(start, end));
      lines.push(Buffer.concat(this.#rest).toString('utf8'));
      this.#rest = [];
      start = end + 1;
    }
    if (start < chunk.length) this.#rest.push(chunk.subarray(start));
    return lines;
  }

  /** What came after the last line feed. */
  rest(): string {
    return Buffer.concat(this.#rest).toString('utf8');
  }
}
