import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Figure, readable } from './figure.ts';

const file = join(import.meta.dirname, 'RESULTS.md');

/** Puts the figures of a benchmark in place of its table in RESULTS.md; words that follow its table stay. */
export function writeResults(name: string, figures: readonly Figure[], minutes: number): void {
  const text = readFileSync(file, 'utf8');
  const heading = `## ${name}\n`;
  const start = text.indexOf(heading);
  const [before, after] = start === -1 ? [`${text.trimEnd()}\n\n`, ''] : [text.slice(0, start), text.slice(start + heading.length)];
  // What was measured last: a paragraph about the machine and one table.
  const rest = after.replace(/^\n[^|#]*\n(\|.*\n)+/, '');
  const load = loadavg().map((value) => value.toFixed(1));
  const machine = `${availableParallelism()} cores (${process.arch}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
  const measured = `${new Date().toISOString().slice(0, 10)}, ${machine}; load average over 1, 5 and 15 minutes at the end ${load.join(', ')}; took ${minutes.toFixed(1)} min.`;
  const table = ['| figure | measured | beside | ratio | target | |', '| --- | --- | --- | --- | --- | --- |', ...figures.map(line)];
  writeFileSync(file, `${before}${heading}\n${measured}\n\n${table.join('\n')}\n${rest === '' ? '' : `\n${rest.trimStart()}`}`);
}

function line({ figure, value, unit, peer, peerValue, ratio, target, holds }: Figure): string {
  const beside = peer === null ? '' : `${peer}, ${readable(peerValue!)} ${unit}`;
  const cells = [figure, `${readable(value)} ${unit}`, beside, ratio === null ? '' : readable(ratio), target, holds ? 'holds' : 'missed'];
  return `| ${cells.join(' | ')} |`;
}
