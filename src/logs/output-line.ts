import type { OutputLine } from '../contracts/run-log.ts';

const streams = { out: 'stdout', err: 'stderr', '---': 'mark' } as const;

/** What a line in the file of an attempt's output says; a line that is no such line is what the one before it goes on with. */
export function parseOutputLine(line: string): Pick<OutputLine, 'at' | 'stream' | 'text'> {
  const match = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (out|err|---)\+? (.*)$/s.exec(line);
  if (match === null) return { at: null, stream: 'stdout', text: line };
  return { at: Date.parse(match[1]!), stream: streams[match[2] as keyof typeof streams], text: match[3]! };
}
