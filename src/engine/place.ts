import { getCallSites } from 'node:util';

/** File and line of a definition or a wiring. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** The place of the code that called the function which asks, as a path. */
export function callerPlace(): Place {
  const site = getCallSites(3)[2];
  return { file: site?.scriptName.replace(/^file:\/\//, '') ?? '', line: site?.lineNumber ?? 0 };
}
