import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogEntry, LoggedEvent, OutputLine } from '../contracts/run-log.ts';
import { GrowingFile } from './growing-file.ts';
import { parseOutputLine } from './output-line.ts';
import { jobOutputFile, outputFolder, outputOwner, runLogFile } from './places.ts';

/** Which log to read. */
export interface LogSource {
  /** Folder of all logs. */
  readonly logs: string;
  /** Folder of all jobs. */
  readonly jobs: string;
  readonly run: string;
  /** Only what this step said. Its job's output is read too, which may be long. */
  readonly step?: string;
}

const lookEveryMs = 200;
/** How often it is asked whether the run may have ended without a word. */
const askEveryMs = 1000;

/** A log as it stands now, in order of time; null where there is none. */
export async function readLog(source: LogSource): Promise<readonly LogEntry[] | null> {
  const reader = new LogReader(source);
  const entries = await reader.read();
  return reader.found ? [...entries, ...reader.rest()] : null;
}

/**
 * A log from its beginning on, in batches as they come, until the run has finished or `isOver` says that nobody goes on with it.
 * Two processes need share nothing but the files.
 */
export async function* followLog(
  source: LogSource,
  { signal, isOver }: { readonly signal: AbortSignal; readonly isOver: () => Promise<boolean> },
): AsyncGenerator<readonly LogEntry[]> {
  const reader = new LogReader(source);
  let askedAt = -Infinity;
  for (;;) {
    // Asked before the last look, so that nothing is missed that was written before the end.
    const ask = performance.now() - askedAt >= askEveryMs;
    if (ask) askedAt = performance.now();
    const over = reader.finished || (ask && (await isOver()));
    const entries = await reader.read();
    if (entries.length > 0) yield entries;
    if (over) {
      const rest = reader.rest();
      if (rest.length > 0) yield rest;
      return;
    }
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
}

interface OutputReader {
  readonly file: GrowingFile;
  readonly step: string;
  readonly attempt: number;
  readonly job: boolean;
}

class LogReader {
  readonly #source: LogSource;
  readonly #events: GrowingFile;
  readonly #outputs = new Map<string, OutputReader>();
  found = false;
  finished = false;

  constructor(source: LogSource) {
    this.#source = source;
    this.#events = new GrowingFile(runLogFile(source.logs, source.run));
  }

  /** What has come since the last call. */
  async read(): Promise<readonly LogEntry[]> {
    const events: LoggedEvent[] = [];
    for await (const lines of this.#events.lines()) {
      this.found = true;
      for (const line of lines) this.#take(line, events);
    }
    await this.#findOutputs();
    const printed: OutputLine[] = [];
    for (const output of this.#outputs.values()) {
      let last: number | null = null;
      for await (const lines of output.file.lines()) {
        for (const line of lines) {
          const entry = this.#line(output, line);
          last = entry.at ?? last;
          printed.push({ ...entry, at: entry.at ?? last });
        }
      }
    }
    return inOrder(events, printed);
  }

  /** Lines that were cut off when their writer died. */
  rest(): readonly LogEntry[] {
    return [...this.#outputs.values()].flatMap((output) => {
      const text = output.file.rest();
      return text === null ? [] : [this.#line(output, text)];
    });
  }

  #line({ step, attempt, job }: OutputReader, line: string): OutputLine {
    const said = job ? { at: null, stream: 'job' as const, text: line.replace(/\r+$/, '').replace(/^.*\r/s, '') } : parseOutputLine(line);
    return { type: 'step-output', run: this.#source.run, step, attempt, ...said };
  }

  #take(line: string, events: LoggedEvent[]): void {
    let event: LoggedEvent;
    try {
      event = JSON.parse(line) as LoggedEvent;
    } catch {
      return;
    }
    if (event.type === 'run-finished') this.finished = true;
    const { step } = this.#source;
    if (step === undefined) events.push(event);
    else if ('step' in event && event.step === step) {
      events.push(event);
      if (event.type === 'job-launched') this.#open(jobOutputFile(this.#source.jobs, event.job, event.attempt), step, event.attempt, true);
    }
  }

  async #findOutputs(): Promise<void> {
    const folder = outputFolder(this.#source.logs, this.#source.run);
    for (const name of await readdir(folder).catch((): string[] => [])) {
      const owner = outputOwner(name);
      if (owner === null || (this.#source.step !== undefined && owner.step !== this.#source.step)) continue;
      this.#open(join(folder, name), owner.step, owner.attempt, false);
    }
  }

  #open(path: string, step: string, attempt: number, job: boolean): void {
    if (!this.#outputs.has(path)) this.#outputs.set(path, { file: new GrowingFile(path), step, attempt, job });
  }
}

/** Events and printed lines by time. Lines whose time nobody noted stand before the end of their step. */
function inOrder(events: readonly LoggedEvent[], printed: readonly OutputLine[]): readonly LogEntry[] {
  const ends = new Map(events.flatMap((event) => (event.type === 'step-finished' ? [[event.step, event.at] as const] : [])));
  const time = (entry: LogEntry): number => entry.at ?? (entry.type === 'step-output' ? (ends.get(entry.step) ?? Infinity) : 0);
  return [...printed, ...events].toSorted((left, right) => time(left) - time(right));
}
