import type { DocumentImpact, ModelTrace } from '../../contracts/command-results.ts';
import { counted, moment } from '../quantities.ts';
import type { Style } from '../style.ts';

/** How many of a kind are named before the rest is counted. */
const shownAtMost = 20;

/** Every step that led to a model with what it depended on, nearest first, and the documents at the other end. */
export function traceText({ model, weights, steps, documents }: ModelTrace, style: Style): string {
  const lines = [`${style('bold', model)}  weights ${weights.slice(0, 12)}`];
  if (steps.length === 0) lines.push('  was not made by a run that is known here');
  for (const { address, run, at, distance, parts } of steps) {
    const inputs = Object.entries(parts.inputs).map(([name, digest]) => `${name} ${digest.slice(0, 12)}`);
    lines.push(
      `${'  '.repeat(Math.min(distance + 1, 8))}${style('cyan', address)}  run ${run}, ${moment(at)}, code ${parts.code.slice(0, 8)}`,
    );
    if (inputs.length > 0) lines.push(style('dim', `${'  '.repeat(Math.min(distance + 1, 8) + 1)}from ${inputs.join(', ')}`));
  }
  lines.push('', style('bold', counted(documents.length, 'document revision')));
  for (const { document, revision, address } of documents.slice(0, shownAtMost))
    lines.push(`  ${address ?? document}  revision ${revision.slice(0, 12)}`);
  if (documents.length > shownAtMost) lines.push(`  and ${documents.length - shownAtMost} more: twin trace ${model} --json`);
  return lines.join('\n');
}

/** Everything that was made from a document. */
export function impactText({ document, address, artifacts, datasets, models }: DocumentImpact, style: Style): string {
  const title = (amount: number, noun: string): readonly string[] => ['', style('bold', counted(amount, noun))];
  const lines = [`${style('bold', address)}  ${document}`];
  if (artifacts.length === 0) return `${lines.join('\n')}\nNothing that is stored was made from it.`;
  lines.push(...title(models.length, 'model version'));
  for (const { model, through, aliases } of models)
    lines.push(`  ${model}${aliases.length > 0 ? ` (${aliases.join(', ')})` : ''}${through === null ? '' : `  through ${through}`}`);
  lines.push(...title(datasets.length, 'dataset version'));
  for (const { dataset, splits } of datasets) lines.push(`  ${dataset}  in ${splits.join(', ')}`);
  lines.push(...title(artifacts.length, 'artifact'));
  for (const { name, digest, step, run } of artifacts.slice(0, shownAtMost))
    lines.push(`  ${name} ${digest.slice(0, 12)}  by ${step} in run ${run}`);
  if (artifacts.length > shownAtMost) lines.push(`  and ${artifacts.length - shownAtMost} more: twin impact ${document} --json`);
  return lines.join('\n');
}
