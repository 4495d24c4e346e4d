import { styleText } from 'node:util';

/** What may stand around a piece of text. */
export type Format = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Formats text, or leaves it as it is where the reader has no colours. */
export type Style = (format: Format, text: string) => string;

/** Leaves every text as it is: for pipes, files and tests. */
export const plainStyle: Style = (_format, text) => text;

/** Formats for a terminal. */
export const terminalStyle: Style = (format, text) => styleText(format, text, { validateStream: false });

/** Colours only on a terminal, and not where NO_COLOR is set (https://no-color.org) or the terminal is dumb. */
export function styleFor(stream: { readonly isTTY?: boolean }, environment: Readonly<Record<string, string | undefined>>): Style {
  return stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb' ? terminalStyle : plainStyle;
}
