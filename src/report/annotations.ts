import { isAbsolute, join } from 'node:path';
import type { FailureCard } from '../contracts/failure-card.ts';
import type { RunView } from '../contracts/run-view.ts';
import { classWords } from './failure-words.ts';
import { printable } from './printable.ts';

/** What GitHub shows of one kind of annotation in a job. */
const mostAnnotations = 10;

/**
 * Commands of a GitHub Actions log that mark each failure at its line of code: the user's own frame, or else the place where the step is wired.
 * A refused run is a warning without a place.
 */
export function annotations(view: RunView, failures: readonly FailureCard[], root: string): readonly string[] {
  const places = new Map(view.steps.map(({ address, place }) => [address, place]));
  const errors = failures.slice(0, mostAnnotations).map(({ step, class: kind, problem, frame, resume }) => {
    const wired = /^(.+):(\d+)$/.exec(places.get(step) ?? '');
    const place = frame ?? (wired === null ? null : { file: wired[1]!, line: Number(wired[2]) });
    const where = place === null ? {} : { file: withinRoot(place.file, root), line: String(place.line) };
    const lines = [problem.message, ...(problem.hint === undefined ? [] : [problem.hint]), `Go on from here: ${resume}`];
    return command('error', { ...where, title: `${step}: ${classWords(kind)}` }, lines.join('\n'));
  });
  const refused =
    view.status === 'refused' ? [command('warning', { title: `${view.pipeline} was refused` }, view.reason ?? 'by a gate')] : [];
  return [...errors, ...refused];
}

function command(name: string, properties: Readonly<Record<string, string>>, message: string): string {
  const given = Object.entries(properties).map(([key, value]) => `${key}=${escapedProperty(value)}`);
  return `::${name} ${given.join(',')}::${escaped(message)}`;
}

/** GitHub finds a file by its path in the repository. */
function withinRoot(file: string, root: string): string {
  const path = isAbsolute(file) ? file : join(root, file);
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

function escaped(text: string): string {
  return printable(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedProperty(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
