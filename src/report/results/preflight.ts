import type { PreflightReport } from '../../contracts/jobs.ts';
import type { TrainingChecked } from '../../contracts/command-results.ts';
import { bytes, counted, duration, grouped } from '../quantities.ts';
import type { Format, Style } from '../style.ts';
import { table } from '../table.ts';

/** Characters of a sample's piece that are shown from its start and from its end. */
const shownEnds = 160;

/** What was found before a training step: what is learned, what is wrong, and what it will take. */
export function preflightText({ step, report, skipped }: TrainingChecked, style: Style): string {
  if (report === null) return `${style('bold', step)}: ${skipped}`;
  const { problems, warnings } = report;
  const verdict = problems.length > 0 ? style('red', counted(problems.length, 'problem')) : style('green', 'nothing in the way');
  return [
    `${style('bold', step)}: ${verdict}${warnings.length > 0 ? `, ${style('yellow', counted(warnings.length, 'warning'))}` : ''}`,
    ...findings(problems, 'red', style),
    ...findings(warnings, 'yellow', style),
    ...countsText(report),
    ...samplesText(report, style),
    ...estimateText(report, style),
  ].join('\n');
}

function findings(list: PreflightReport['problems'], format: Format, style: Style): string[] {
  return list.map(
    ({ reason, message, hint }) => `  ${style(format, reason)}: ${message}${hint === null ? '' : style('dim', ` → ${hint}`)}`,
  );
}

function countsText({ counts }: PreflightReport): string[] {
  if (counts.rows === undefined || counts.given === undefined) return [];
  const share = (part = 0) => `${(part * 100).toFixed(0)} %`;
  return [
    `  ${counted(counts.rows, 'row')} of ${grouped(counts.given)}; ${share(counts.trainedShare)} of ${grouped(counts.totalTokens ?? 0)} tokens are learned; ` +
      `${counted(counts.truncatedRows ?? 0, 'row')} cut; the end is learned in ${share(counts.endLearned)} of rows`,
  ];
}

function samplesText({ samples }: PreflightReport, style: Style): string[] {
  if (samples.length === 0) return [];
  const lines = samples.map(({ kind, pieces }) => {
    // Without colours, brackets stand around what is learned.
    const text = pieces.map(({ text: piece, learned, end }) => {
      const shown = `${shortened(piece)}${end ? ' ⏹' : ''}`;
      return learned ? style('green', `[${shown}]`) : style('dim', shown);
    });
    return `    ${kind === undefined ? '' : `${kind}: `}${text.join('')}`;
  });
  return [`  samples as the model sees them; ${style('green', '[learned]')}, ${style('dim', 'not learned')}:`, ...lines];
}

function shortened(text: string): string {
  const line = text.replaceAll('\n', '↵');
  return line.length <= 2 * shownEnds ? line : `${line.slice(0, shownEnds)} … ${line.slice(-shownEnds)}`;
}

function estimateText({ estimate }: PreflightReport, style: Style): string[] {
  if (estimate === null) return [];
  const { totalParameters, trainableParameters, steps, tokens, longestRow, cpu, devices } = estimate;
  const rows = devices.map(({ device, verdict, changes, neededBytes, memoryBytes, seconds, cost }) => [
    device,
    style(verdict === 'fits' ? 'green' : verdict === 'does not fit' ? 'red' : 'yellow', verdict),
    `${bytes(neededBytes)} of ${bytes(memoryBytes)}`,
    verdict === 'does not fit' ? '' : duration(seconds * 1000),
    verdict === 'does not fit' ? '' : `$${cost.toFixed(2)}`,
    changes.join('; '),
  ]);
  return [
    `  ${grouped(totalParameters)} parameters, ${grouped(trainableParameters)} of them trained; ${counted(steps, 'step')}, ${grouped(tokens)} tokens, longest row ${longestRow}`,
    `  on this CPU about ${duration(cpu.seconds * 1000)} and ${bytes(cpu.peakBytes)}; on a GPU (estimated, prices are list prices to compare by):`,
    ...table(['DEVICE', 'VERDICT', 'MEMORY', 'TIME', 'COST', 'WITH'], rows, (title) => style('dim', title))
      .split('\n')
      .map((line) => `  ${line}`),
  ];
}
