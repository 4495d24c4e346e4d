import type { GarbageCollected, GarbageKind } from '../../contracts/garbage.ts';
import { bytes, counted, grouped } from '../quantities.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

const foreignShown = 5;

/** What was freed, what stays, and what waits for a run to end. */
export function gcText({ dryRun, freed, bytes: total, kept, deferred, foreign }: GarbageCollected, style: Style): string {
  const verb = dryRun ? 'would free' : 'freed';
  const rows = freed.map(({ kind, count, bytes: size }) => [kindWords(kind), grouped(count), bytes(size)]);
  const lines = [
    freed.length === 0 ? 'Nothing to free.' : style('bold', `${verb} ${bytes(total)}`),
    ...(rows.length === 0 ? [] : [table(['WHAT', 'COUNT', 'SIZE'], rows, (title) => style('dim', title))]),
    `kept: ${counted(kept.runs, 'run')}, ${counted(kept.artifacts, 'artifact')} of ${bytes(kept.bytes)}`,
  ];
  if (deferred.count > 0) {
    lines.push(
      style(
        'yellow',
        `${counted(deferred.count, 'artifact')} of ${bytes(deferred.bytes)} must wait: ${deferred.runs.join(', ')} may be about to read ${deferred.count === 1 ? 'it' : 'them'}. Run twin gc again when that has ended.`,
      ),
    );
  }
  if (foreign.length > 0) {
    const more = foreign.length > foreignShown ? ` and ${foreign.length - foreignShown} more` : '';
    lines.push(style('dim', `left alone, as twin did not name them: ${foreign.slice(0, foreignShown).join(', ')}${more}`));
  }
  if (dryRun && freed.length > 0) lines.push(style('dim', '→ twin gc'));
  return lines.join('\n');
}

function kindWords(kind: GarbageKind): string {
  switch (kind) {
    case 'artifacts':
      return 'artifacts';
    case 'results':
      return 'results of steps';
    case 'row-cache':
      return 'cached rows';
    case 'expired-rows':
      return 'expired records';
    case 'staging':
      return 'half-written artifacts';
    case 'logs':
      return 'logs';
    case 'reports':
      return 'reports';
    case 'jobs':
      return 'job folders';
  }
}
