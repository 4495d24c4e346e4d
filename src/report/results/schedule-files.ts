import type { ScheduleFiles } from '../../contracts/command-results.ts';
import type { Style } from '../style.ts';

/** The files themselves where they are printed, so that they can be piped; else where they were written, and what to do next. */
export function scheduleFilesText({ files, next }: ScheduleFiles, style: Style): string {
  const printed = files.filter(({ path }) => path === null);
  if (printed.length === 1) return printed[0]!.text.trimEnd();
  if (printed.length > 1) return printed.map(({ name, text }) => `# --- ${name}\n${text.trimEnd()}`).join('\n\n');
  return [...files.map(({ path }) => `Wrote ${path}.`), ...next.map((line) => style('dim', `→ ${line}`))].join('\n');
}
