import type { PointDifferenceLine } from '../../contracts/command-results.ts';
import type { IndexVerified } from '../../contracts/results.ts';
import { counted } from '../quantities.ts';
import type { Style } from '../style.ts';

/** Whether the index holds what the documents say it should. */
export function indexText({ documents, points, missing, stale, different, sample, otherwise }: IndexVerified, style: Style): string {
  const should = `${counted(documents, 'document')}${sample === undefined ? '' : ' of a sample'} make ${counted(points, 'point')}`;
  if (missing + stale + different === 0) return `${style('green', 'The index equals its source')}: ${should}, and exactly those are there.`;
  if (otherwise !== undefined) {
    return [
      `${style('red', 'The index was made with another configuration')}: readers find ${otherwise.serving}, and the present configuration makes ${otherwise.configured}.`,
      `  ${counted(missing + stale + different, 'point')} differ by that; nothing says that the index is wrong for the configuration that made it`,
      `${style('cyan', '→')} twin run feature-pipeline  brings readers to the present configuration; or put the other one back (flags, configs/) and verify again`,
      `${style('cyan', '→')} twin index list`,
    ].join('\n');
  }
  return [
    `${style('red', 'The index differs from its source')}: ${should}.`,
    `  missing    ${counted(missing, 'point')} should be there`,
    `  stale      ${counted(stale, 'point')} should not be there`,
    `  different  ${counted(different, 'point')} should have other content`,
    `${style('cyan', '→')} twin run feature-pipeline --force sync-index`,
  ].join('\n');
}

/** Points that are not as they should be, a line each. */
export function differencesText(differences: readonly PointDifferenceLine[]): string {
  const lines = differences.map(({ kind, id, document, address, what }) => {
    const whose = address ?? `a document that is gone (${document})`;
    return `  ${kind.padEnd(9)}  point ${id} of ${whose}${what === null ? '' : `: its ${what}`}`;
  });
  return ['The first differences:', ...lines].join('\n');
}
