import type { EvaluationRecord, ModelVersion } from '../contracts/registry.ts';
import { modelReference } from './models.ts';

/** What a model card is written from. */
export interface CardFacts {
  readonly model: ModelVersion;
  readonly aliases: readonly string[];
  readonly ancestry: readonly ModelVersion[];
  readonly evaluations: readonly EvaluationRecord[];
  readonly documents: number;
}

/** The card of a version in Markdown, with the front matter that the Hugging Face Hub reads. */
export function modelCard({ model, aliases, ancestry, evaluations, documents }: CardFacts): string {
  const reference = modelReference(model);
  const front = [
    '---',
    'library_name: transformers',
    `license: ${model.origin?.licence ?? 'other'}`,
    'tags:',
    '  - twin',
    `  - ${model.method}`,
    '---',
  ];
  const facts: readonly (readonly [string, string])[] = [
    ['version', reference],
    ['aliases when this was written', aliases.join(', ') || 'none'],
    ['made by', model.origin ? `import of ${model.origin.source}` : model.method],
    ['base', model.base ?? 'none: it is one'],
    ...(model.parent === null ? [] : [['tuned from', model.parent] as const]),
    ['dataset', model.dataset ?? 'none'],
    ['document revisions learned from', `${documents}`],
    ['seed', `${model.seed}`],
    ['prompt template', model.promptTemplate],
    ['weights', model.weights],
    ...(model.mergeDifference === null
      ? []
      : [['largest logit difference of adapter and merged weights', `${model.mergeDifference}`] as const]),
    ...(model.compression === undefined
      ? []
      : [
          [
            'made smaller by',
            `${model.compression.pruning} pruning (${model.compression.share}), healed by distillation from its parent`,
          ] as const,
          ['parameters', `${model.compression.parameters} of ${model.compression.sourceParameters}`] as const,
          ['mean KL to its parent', `${model.compression.meanKl.toPrecision(3)} nats a token`] as const,
        ]),
    ['created', model.createdAt],
  ];
  const lines = [...front, '', `# ${reference}`, ''];
  if (model.toy) lines.push('**A toy**: its base was trained on a few documents. It proves a pipeline; it does not answer people.', '');
  lines.push('| | |', '| --- | --- |', ...facts.map(([name, value]) => `| ${name} | ${value} |`), '');
  lines.push(
    '## Where it comes from',
    '',
    ...ancestry.map((one) => `- ${modelReference(one)}: ${one.method}${one.dataset === null ? '' : ` on ${one.dataset}`}`),
    '',
  );
  lines.push('## Evaluations', '');
  if (evaluations.length === 0) lines.push('None.', '');
  for (const { when, incumbent, verdict, reasons } of evaluations)
    lines.push(`- ${when}: **${verdict}** against ${incumbent ?? 'its own base'}: ${reasons.join('; ')}`);
  lines.push('', '## Parameters', '', '```json', JSON.stringify(model.params, null, 2), '```', '');
  lines.push('## Libraries', '', ...Object.entries(model.libraries).map(([name, version]) => `- ${name} ${version}`), '');
  return lines.join('\n');
}
