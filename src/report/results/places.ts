import type { PlaceLine } from '../../contracts/command-results.ts';
import type { Style } from '../style.ts';

/** Where everything lies. */
export function placesText(places: readonly PlaceLine[], style: Style): string {
  const width = Math.max(0, ...places.map(({ what }) => what.length));
  return [style('bold', 'Where everything lies'), ...places.map(({ what, path }) => `  ${what.padEnd(width)}  ${path}`)].join('\n');
}
