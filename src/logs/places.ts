import { join } from 'node:path';

/** The file that holds the events of a run, one a line. */
export function runLogFile(folder: string, run: string): string {
  return join(folder, `${run}.jsonl`);
}

/** The folder of what the steps of a run printed: a file an attempt. */
export function outputFolder(folder: string, run: string): string {
  return join(folder, run);
}

/** The name of the file of an attempt's output. */
export function outputName(step: string, attempt: number): string {
  return `${encodeURIComponent(step)}.${attempt}.log`;
}

/** Whose output a file of that name holds; null where it is none. */
export function outputOwner(name: string): { readonly step: string; readonly attempt: number } | null {
  const match = /^(.+)\.(\d+)\.log$/.exec(name);
  return match === null ? null : { step: decodeURIComponent(match[1]!), attempt: Number(match[2]) };
}

/** The file into which the keeper of a job lets it print. */
export function jobOutputFile(jobs: string, job: string, attempt: number): string {
  return join(jobs, job, 'attempts', String(attempt), 'output.log');
}
