import type { ModelShown } from '../../contracts/command-results.ts';
import type { ModelVersion } from '../../contracts/registry.ts';
import type { ModelVersionLine } from '../../contracts/results.ts';
import { bytes, counted, grouped, moment } from '../quantities.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

/** How many documents of a lineage are named before the rest is counted. */
const shownDocuments = 12;

/** Model versions, newest first. */
export function modelsText(models: readonly ModelVersionLine[], style: Style): string {
  if (models.length === 0) return 'No models yet.\n→ twin run training-pipeline';
  return table(
    ['MODEL', 'STAGE', 'ALIASES', 'CREATED'],
    models.map(({ name, version, stage, aliases, createdAt }) => [
      `${name}@${version}`,
      stage === null ? '' : style(stage === 'champion' ? 'green' : 'cyan', stage),
      aliases.join(', '),
      moment(Date.parse(createdAt)),
    ]),
    (title) => style('dim', title),
  );
}

/** A model version: what it is, how its aliases moved, and everything that it comes from, back to the documents. */
export function modelText(shown: ModelShown, style: Style): string {
  const { version: model, aliases, moves, ancestry, evaluations, documents, steps } = shown;
  const title = (text: string) => ['', style('bold', text)];
  const lines = [
    style('bold', `${model.name}@${model.version}`),
    `  aliases    ${aliases.join(', ') || 'none'}`,
    `  made by    ${model.method}${model.toy ? ', a toy: its base was trained here on a few documents' : ''}`,
    `  created    ${moment(Date.parse(model.createdAt))} by run ${model.run}`,
    ...(model.base === null ? [] : [`  base       ${model.base}`]),
    ...(model.parent === null ? [] : [`  tuned from ${model.parent}`]),
    ...(model.dataset === null ? [] : [`  dataset    ${model.dataset}`]),
    `  seed       ${model.seed}`,
    `  weights    ${model.weights.slice(0, 12)}${model.adapter === null ? '' : `, adapter ${model.adapter.slice(0, 12)}`}`,
    ...(model.mergeDifference === null
      ? []
      : [`  merge      adapter and merged weights differ by at most ${model.mergeDifference.toPrecision(2)}`]),
    ...(model.compression === undefined ? [] : compressionLines(model.compression)),
    ...(model.origin === undefined ? [] : [`  imported   from ${model.origin.source}, licence ${model.origin.licence ?? 'unknown'}`]),
    `  libraries  ${Object.entries(model.libraries)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    `  params     ${JSON.stringify(model.params)}`,
  ];
  if (moves.length > 0) {
    lines.push(...title('Moves of its aliases'));
    for (const { alias, when, who, from, to, reason, forced, rollback } of moves) {
      const how = forced ? `, ${style('red', 'FORCED past the gate')}` : rollback ? ', rolled back' : '';
      lines.push(
        `  ${moment(Date.parse(when))}  ${alias}: ${from ?? 'nothing'} → ${to} by ${who}${how}${reason === '' ? '' : ` (${reason})`}`,
      );
    }
  }
  if (evaluations.length > 0) {
    lines.push(...title('Evaluations'));
    for (const { when, verdict, incumbent, reasons } of evaluations)
      lines.push(`  ${moment(Date.parse(when))}  ${verdict} against ${incumbent ?? 'its own base'}: ${reasons.join('; ')}`);
  }
  if (ancestry.length > 0) {
    lines.push(...title('Where it comes from'));
    for (const one of ancestry)
      lines.push(`  ${one.name}@${one.version}  ${one.method}${one.dataset === null ? '' : ` on ${one.dataset}`}`);
  }
  if (steps.length > 0) {
    lines.push(...title('Steps that led to it'));
    for (const { address, run, at } of steps) lines.push(`  ${address}  (run ${run}, ${moment(at)})`);
  }
  lines.push(...title(`${counted(documents.length, 'document revision')} that it learned from`));
  for (const { document, revision, address } of documents.slice(0, shownDocuments))
    lines.push(`  ${address ?? document}  revision ${revision.slice(0, 12)}`);
  if (documents.length > shownDocuments)
    lines.push(`  and ${documents.length - shownDocuments} more: twin models show ${model.name}@${model.version} --json`);
  return lines.join('\n');
}

/** How a smaller version compares with the one that it was made of. */
function compressionLines(compression: NonNullable<ModelVersion['compression']>): readonly string[] {
  const { pruning, share, zeros, parameters, sourceParameters, bytes: after, sourceBytes, tokensPerSecond: speed } = compression;
  const taken = zeros > 0.01 ? `${(zeros * 100).toFixed(0)} % of the weights are 0` : `${(share * 100).toFixed(0)} % taken out`;
  return [
    `  pruned     ${pruning}: ${taken}`,
    `  size       ${grouped(parameters)} of ${grouped(sourceParameters)} parameters, ${bytes(after)} of ${bytes(sourceBytes)}`,
    `  speed      ${grouped(Math.round(speed.compressed))} tokens read a second where it was made, ${grouped(Math.round(speed.model))} before`,
    `  loss       mean KL to its parent ${compression.prunedMeanKl.toPrecision(2)} nats a token when pruned, ${compression.meanKl.toPrecision(2)} when healed`,
  ];
}
