import type { IndexGenerationLine } from '../../contracts/results.ts';
import { grouped, moment } from '../quantities.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

/** The generations of an index, one a row. */
export function generationsText(index: string, generations: readonly IndexGenerationLine[], style: Style): string {
  if (generations.length === 0) return `There is no index '${index}' yet.\n${style('cyan', '→')} twin run feature-pipeline`;
  const count = (amount: number | null) => (amount === null ? '' : grouped(amount));
  const rows = generations.map(({ generation, state, since, keptUntil, documents, points, embedder }) => [
    generation,
    state,
    moment(since),
    count(documents),
    count(points),
    keptUntil === null ? '' : moment(keptUntil),
    embedder,
  ]);
  const titles = ['GENERATION', 'STATE', 'SINCE', 'DOCUMENTS', 'POINTS', 'KEPT UNTIL', 'EMBEDDER'];
  const refused = generations.filter(({ state }) => state === 'refused');
  const why = refused.map(({ generation, reasons }) => `${generation} was refused: ${reasons.join('; ')}`);
  return [table(titles, rows, (title) => style('bold', title)), ...why].join('\n');
}

/** What readers find from now on. */
export function switchedText(index: string, from: string, to: string, style: Style): string {
  return [
    `Readers of ${index} find ${style('bold', to)} again, and no longer ${from}.`,
    `It holds what it was last brought in step with: run the feature pipeline with its configuration to bring it up to date.`,
    `${style('cyan', '→')} twin index list`,
  ].join('\n');
}
