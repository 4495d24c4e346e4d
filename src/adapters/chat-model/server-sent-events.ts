import { LineSplitter } from '../../workers/line-splitter.ts';

/** The data of each server-sent event in a body (WHATWG HTML, section 9.2), as far as chat completions use them: one line of data an event. */
export async function* serverSentData(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<string> {
  const splitter = new LineSplitter();
  for await (const chunk of body ?? []) {
    for (const line of splitter.push(Buffer.from(chunk))) {
      // Lines that begin with a colon keep the connection alive and say nothing.
      if (line.startsWith('data:')) yield line.slice('data:'.length).trim();
    }
  }
}
