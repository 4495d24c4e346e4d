import type { ConfigValue } from '../../contracts/command-results.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

/** Every value of the configuration, with its origin where that was asked for. */
export function configText(values: readonly ConfigValue[], origin: boolean, style: Style): string {
  const titles = origin ? ['KEY', 'VALUE', 'FROM'] : ['KEY', 'VALUE'];
  const rows = values.map(({ key, value, layer, where }) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
    ...(origin ? [from(layer, where)] : []),
  ]);
  return table(titles, rows, (title) => style('dim', title));
}

function from(layer: string, where: string | null): string {
  return where === null ? layer : `${layer} ${where}`;
}
