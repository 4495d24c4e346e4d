import { stripVTControlCharacters } from 'node:util';

/** Columns under their titles, two spaces apart, numbers to the right; a column that is empty in every row is left out. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  heading: (title: string) => string = (title) => title,
): string {
  const shown = titles.map((_, column) => column).filter((column) => rows.some((row) => row[column] !== undefined && row[column] !== ''));
  const width = (text: string) => stripVTControlCharacters(text).length;
  const widths = shown.map((column) => Math.max(width(titles[column]!), ...rows.map((row) => width(row[column] ?? ''))));
  const right = shown.map((column) => rows.every((row) => /^-?[\d.,]*$/.test(row[column] ?? '')));
  const line = (cells: readonly string[]) =>
    cells
      .map((text, at) => {
        const padding = ' '.repeat(Math.max(0, widths[at]! - width(text)));
        return right[at] ? padding + text : text + padding;
      })
      .join('  ')
      .trimEnd();
  return [line(shown.map((column) => heading(titles[column]!))), ...rows.map((row) => line(shown.map((column) => row[column] ?? '')))].join(
    '\n',
  );
}
