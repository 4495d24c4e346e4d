import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../contracts/events/run.ts';
import { mask } from '../contracts/masking.ts';

/** The file that holds what a run said, one event a line. */
export function runLogFile(folder: string, run: string): string {
  return join(folder, `${run}.jsonl`);
}

/** Keeps what a run says, so that `twin runs logs` can tell it again. */
export interface RunLog {
  write(event: RunEvent): void;
  close(): Promise<void>;
}

/** Opens a log with the first event of a run; a log that cannot be written is given up without a word, as the journal holds the truth. */
export function openRunLog(folder: string): RunLog {
  let stream: WriteStream | null = null;
  return {
    write(event) {
      // Progress is for those who watch; it would make up most of the file.
      if (event.type === 'step-progress') return;
      if (stream === null) {
        mkdirSync(folder, { recursive: true });
        stream = createWriteStream(runLogFile(folder, event.run), { flags: 'a' });
        stream.on('error', () => {});
      }
      stream.write(`${mask(JSON.stringify(event))}\n`);
    },
    close: () =>
      new Promise((resolve) => {
        if (stream === null || stream.destroyed) resolve();
        else stream.end(() => resolve());
      }),
  };
}
