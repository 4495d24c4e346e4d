import { stripVTControlCharacters } from 'node:util';

/** A text that others wrote, without what would move the cursor or recolour the terminal; tabs stay. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '');
}
