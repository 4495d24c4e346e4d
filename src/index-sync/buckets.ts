import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Characters of records that wait in memory, of one bucket. */
const heldCharacters = 16_384;

/** Which bucket an id is in: ids of one bucket stand together in the order of ids. */
export function bucketOf(id: string): string {
  return id.slice(0, 2);
}

/** Records by id, more than fit into memory: kept apart by the start of the id, in temporary files once there are many, and read back a bucket at a time. */
export class Buckets<Entry extends readonly [id: string, ...rest: unknown[]]> implements AsyncDisposable {
  readonly #held = new Map<string, { lines: string[]; characters: number }>();
  #folder: string | null = null;

  async add(entry: Entry): Promise<void> {
    const bucket = bucketOf(entry[0]);
    const held = this.#held.get(bucket) ?? { lines: [], characters: 0 };
    const line = JSON.stringify(entry);
    held.lines.push(line);
    held.characters += line.length;
    this.#held.set(bucket, held);
    if (held.characters < heldCharacters) return;
    const lines = `${held.lines.splice(0).join('\n')}\n`;
    held.characters = 0;
    this.#folder ??= await mkdtemp(join(tmpdir(), 'twin-verify-'));
    await appendFile(this.#file(bucket), lines);
  }

  get names(): readonly string[] {
    return [...this.#held.keys()];
  }

  async read(bucket: string): Promise<readonly Entry[]> {
    const held = this.#held.get(bucket);
    if (held === undefined) return [];
    const stored = this.#folder === null ? '' : await readFile(this.#file(bucket), 'utf8').catch(() => '');
    const lines = [...stored.split('\n').filter((line) => line !== ''), ...held.lines];
    return lines.map((line) => JSON.parse(line) as Entry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  #file(bucket: string): string {
    return join(this.#folder!, Buffer.from(bucket).toString('hex'));
  }
}
