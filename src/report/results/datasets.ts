import type { DatasetShown } from '../../contracts/command-results.ts';
import type { DatasetVersion } from '../../contracts/dataset.ts';
import { counted, grouped, moment } from '../quantities.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

/** Dataset versions, newest first. */
export function datasetsText(datasets: readonly DatasetVersion[], style: Style): string {
  if (datasets.length === 0) return 'No datasets yet.\n→ twin run dataset-pipeline';
  return table(
    ['DATASET', 'CREATED', 'TRAIN', 'VALIDATION', 'TEST', 'PREFERENCE'],
    datasets.map(({ name, version, createdAt, splits, preference }) => [
      `${name}@${version}`,
      moment(Date.parse(createdAt)),
      grouped(splits.train.count),
      grouped(splits.validation.count),
      grouped(splits.test.count),
      preference === null ? '' : grouped(preference.count),
    ]),
    (title) => style('dim', title),
  );
}

/** A dataset version with its card: counts, lengths, sources, what was dropped and why. */
export function datasetText({ version, card }: DatasetShown, style: Style): string {
  const { name, splits, createdAt } = version;
  const lines = [
    style('bold', `${name}@${version.version}`),
    `  created    ${moment(Date.parse(createdAt))}`,
    `  samples    ${grouped(splits.train.count)} train, ${grouped(splits.validation.count)} validation, ${grouped(splits.test.count)} test`,
  ];
  if (version.preference !== null) lines.push(`  preference ${counted(version.preference.count, 'pair')}`);
  if (card === null) return [...lines, '  its card is gone from the artifact store'].join('\n');
  if (card.lengths !== null) {
    for (const part of ['instruction', 'answer'] as const) {
      const { minimum, median, percentile95, maximum } = card.lengths[part];
      lines.push(
        `  ${part.padEnd(10)} ${grouped(minimum)} to ${grouped(maximum)} characters, median ${grouped(median)}, 95 % below ${grouped(percentile95)}`,
      );
    }
  }
  lines.push(
    `  made by    ${
      Object.entries(card.methods)
        .map(([method, count]) => `${method} (${grouped(count)})`)
        .join(', ') || 'nothing'
    }`,
  );
  lines.push(`  sources    ${counted(card.sources.length, 'document revision')}`);
  for (const [stage, reasons] of Object.entries(card.dropped)) {
    const told = Object.entries(reasons).map(([reason, count]) => `${reason} ${grouped(count)}`);
    if (told.length > 0) lines.push(`  dropped    by ${stage}: ${told.join(', ')}`);
  }
  lines.push(
    `  gate       ${style(card.gate.verdict === 'pass' ? 'green' : 'red', card.gate.verdict)} (${counted(card.gate.checks.length, 'check')})`,
  );
  for (const finding of card.gate.findings) lines.push(`    - ${finding.severity === 'warn' ? 'warning: ' : ''}${finding.message}`);
  return lines.join('\n');
}
