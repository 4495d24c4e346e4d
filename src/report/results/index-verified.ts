import type { IndexVerified } from '../../contracts/results.ts';
import { counted } from '../quantities.ts';
import type { Style } from '../style.ts';

/** Whether the index holds what the documents say it should. */
export function indexText({ documents, points, missing, stale, different }: IndexVerified, style: Style): string {
  const should = `${counted(documents, 'document')} make ${counted(points, 'point')}`;
  if (missing + stale + different === 0) return `${style('green', 'The index equals its source')}: ${should}, and exactly those are there.`;
  return [
    `${style('red', 'The index differs from its source')}: ${should}.`,
    `  missing    ${counted(missing, 'point')} should be there`,
    `  stale      ${counted(stale, 'point')} should not be there`,
    `  different  ${counted(different, 'point')} should have other content`,
    `${style('cyan', '→')} twin run feature-pipeline --force sync-index`,
  ].join('\n');
}
