import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggedEvent, OutputLine } from '../contracts/run-log.ts';
import { GrowingFile } from './growing-file.ts';
import { parseOutputLine } from './output-line.ts';
import { jobOutputFile, outputFolder, outputOwner, runLogFile } from './places.ts';
import type { LogSource } from './read-log.ts';

/** A line of the last words of a step. */
export type LastLine = Pick<OutputLine, 'at' | 'stream' | 'text'>;

/** Bytes that are read of the end of a file of output. */
const tailBytes = 64 * 1024;

/** The last lines that each of some steps logged and printed in its last attempt, oldest first; what jobs printed stands at the end. */
export async function lastLines(
  source: Omit<LogSource, 'step'>,
  steps: readonly string[],
  count: number,
): Promise<ReadonlyMap<string, readonly LastLine[]>> {
  const said = new Map(
    steps.map((step) => [step, { lines: [] as LastLine[], printed: [] as LastLine[], job: null as string | null, attempt: 0 }]),
  );
  for await (const lines of new GrowingFile(runLogFile(source.logs, source.run)).lines()) {
    for (const line of lines) {
      const event = eventIn(line);
      const step = event !== null && 'step' in event ? said.get(event.step) : undefined;
      if (event === null || step === undefined) continue;
      if (event.type === 'step-log') {
        step.lines.push({ at: event.at, stream: 'stdout', text: event.message });
        if (step.lines.length > 2 * count) step.lines.splice(0, step.lines.length - count);
      } else if (event.type === 'job-launched') step.job = jobOutputFile(source.jobs, event.job, event.attempt);
    }
  }
  const folder = outputFolder(source.logs, source.run);
  const names = said.size === 0 ? [] : await readdir(folder).catch((): string[] => []);
  for (const name of names) {
    const owner = outputOwner(name);
    const step = owner === null ? undefined : said.get(owner.step);
    if (owner === null || step === undefined || owner.attempt < step.attempt) continue;
    step.attempt = owner.attempt;
    step.printed = (await tailOf(join(folder, name))).map(parseOutputLine).slice(-count);
  }
  const ends = new Map<string, readonly LastLine[]>();
  for (const [step, { lines, printed: output, job }] of said) {
    const printed = [...lines, ...output].toSorted((left, right) => (left.at ?? 0) - (right.at ?? 0));
    const ofJob = job === null ? [] : await tailOf(job);
    const all = [
      ...printed,
      ...ofJob.map((text): LastLine => ({ at: null, stream: 'job', text: text.replace(/\r+$/, '').replace(/^.*\r/s, '') })),
    ];
    ends.set(step, all.filter(({ text }) => text.trim() !== '').slice(-count));
  }
  return ends;
}

async function tailOf(path: string): Promise<string[]> {
  const file = new GrowingFile(path);
  await file.skipTo(tailBytes);
  const lines: string[] = [];
  for await (const batch of file.lines()) lines.push(...batch);
  const rest = file.rest();
  return rest === null ? lines : [...lines, rest];
}

function eventIn(line: string): LoggedEvent | null {
  // Most lines are of steps that went well; parsing is what costs.
  if (!line.includes('"step-log"') && !line.includes('"job-launched"')) return null;
  try {
    return JSON.parse(line) as LoggedEvent;
  } catch {
    return null;
  }
}
