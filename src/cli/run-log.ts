import { createWriteStream, mkdirSync, type WriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../contracts/events/run.ts';
import { maskValue } from '../contracts/masking.ts';
import { stepScope } from '../engine/step-scope.ts';
import { OutputFile } from '../logs/output-file.ts';
import { outputFolder, outputName, runLogFile } from '../logs/places.ts';
import type { CommandContext } from './context.ts';
import { currentEnvironment, environmentFile } from './run-environment.ts';

/** Keeps what a run says and what its steps print, so that `twin runs logs` can tell it again, or at the same time in another terminal. */
export interface RunLog {
  write(event: RunEvent): void;
  /** Resolves once all that was written can be read. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a log with the first event of a run; a log that cannot be written is given up without a word, as the journal holds the truth. */
export function openRunLog(folder: string, context: Pick<CommandContext, 'capture' | 'project' | 'environment'>): RunLog {
  let stream: WriteStream | null = null;
  let run: string | null = null;
  const outputs = new Map<string, OutputFile>();
  // What a step prints belongs in its log, not into the middle of a live view or of lines of JSON.
  const release = context.capture?.((from, chunk) => {
    const scope = stepScope.getStore();
    if (scope === undefined || scope.run !== run) return false;
    const name = outputName(scope.step, scope.attempt);
    let output = outputs.get(name);
    if (output === undefined) outputs.set(name, (output = new OutputFile(join(outputFolder(folder, run), name))));
    output.write(from, chunk);
    return true;
  });
  const closeOutputs = (step?: string) => {
    for (const [name, output] of outputs) {
      if (step !== undefined && !name.startsWith(`${encodeURIComponent(step)}.`)) continue;
      output.close();
      outputs.delete(name);
    }
  };
  return {
    write(event) {
      // Progress is for those who watch; it would make up most of the file.
      if (event.type === 'step-progress') return;
      if (stream === null) {
        attempt(() => mkdirSync(folder, { recursive: true }));
        stream = createWriteStream(runLogFile(folder, event.run), { flags: 'a' });
        stream.on('error', () => {});
      }
      if (event.type === 'run-started') {
        run = event.run;
        const environment = JSON.stringify(maskValue(currentEnvironment(context.project, context.environment)));
        attempt(() => {
          mkdirSync(outputFolder(folder, event.run), { recursive: true });
          writeFileSync(environmentFile(folder, event.run), environment);
        });
      }
      if (event.type === 'step-finished') closeOutputs(event.step);
      stream.write(`${JSON.stringify(maskValue({ at: Date.now(), ...event }))}\n`);
    },
    flush: () =>
      new Promise((resolve) => {
        if (stream === null || stream.destroyed) resolve();
        else stream.write('', () => resolve());
      }),
    close: () =>
      new Promise((resolve) => {
        release?.();
        closeOutputs();
        if (stream === null || stream.destroyed) resolve();
        else stream.end(() => resolve());
      }),
  };
}

/** A full or read-only disk takes the log, not the run. */
function attempt(write: () => void): void {
  try {
    write();
  } catch {
    // The journal holds the truth.
  }
}
