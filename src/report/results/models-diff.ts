import type { ModelsDiff } from '../../contracts/command-results.ts';
import { grouped } from '../quantities.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

/** What two versions are, learned and scored, and how far each layer moved. */
export function modelsDiffText({ before, after, changes, rows, bitsPerByte, weights }: ModelsDiff, style: Style): string {
  if (before === after) return `${before} is compared with itself: nothing differs.`;
  const title = (text: string): readonly string[] => ['', style('bold', text)];
  const lines = [style('bold', `${before} → ${after}`)];
  for (const { key, before: old, after: now } of changes) lines.push(`  ${key}  ${shown(old)} → ${shown(now)}`);
  if (changes.length === 0) lines.push('  the same in all but name');
  lines.push(...title('Rows learned'));
  lines.push(
    rows === null
      ? '  not comparable: those of one version are not here'
      : `  ${grouped(rows.common)} in both, ${grouped(rows.added)} added, ${grouped(rows.removed)} removed`,
  );
  lines.push(...title('Bits per byte on one frozen set'));
  lines.push(
    bitsPerByte === null
      ? '  not comparable: no evaluation of both on the same set'
      : `  ${bitsPerByte.before.toFixed(4)} → ${bitsPerByte.after.toFixed(4)} (${signed(bitsPerByte.after - bitsPerByte.before)}; lower is better)`,
  );
  lines.push(...title('Weights'));
  if (weights === null) lines.push('  not comparable: the files of one version are gone');
  else if (weights.layers.length > 0) {
    const layers = weights.layers.map(({ layer, parameters, norm, difference }) => [
      `  ${layer}`,
      grouped(parameters),
      norm.toPrecision(4),
      difference.toPrecision(4),
      norm === 0 ? '' : `${((100 * difference) / norm).toFixed(2)} %`,
    ]);
    lines.push(table(['  LAYER', 'PARAMETERS', 'NORM', 'MOVED', 'SHARE'], layers, (text) => style('dim', text)));
  }
  if (weights && weights.incomparable.length > 0)
    lines.push(
      `  ${grouped(weights.incomparable.length)} tensors have no partner of the same shape: ${weights.incomparable.slice(0, 3).join(', ')}`,
    );
  return lines.join('\n');
}

function shown(value: unknown): string {
  if (value === null) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text;
}

function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${value.toFixed(4)}`;
}
