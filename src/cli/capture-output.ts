import type { Output } from '../report/reporter.ts';

/** Takes what is printed to a standard stream; false where it shall be printed after all. */
export type OutputSink = (stream: 'stdout' | 'stderr', chunk: string | Uint8Array) => boolean;

/** The two standard streams of this process as the reporter writes to them: past every sink. */
export function directOutput(stream: NodeJS.WriteStream): Output {
  const write = stream.write.bind(stream);
  return {
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    write: (text) => write(text),
  };
}

const sinks = new Set<OutputSink>();
let restore = (): void => undefined;

/** Hands everything that is printed to the standard streams to a sink first, until the returned function is called; of several, the first that takes it has it. */
export function captureOutput(sink: OutputSink): () => void {
  if (sinks.size === 0) restore = divertStreams();
  sinks.add(sink);
  return () => {
    if (sinks.delete(sink) && sinks.size === 0) restore();
  };
}

function divertStreams(): () => void {
  const restores = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name];
    const write = stream.write;
    const captured = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
      const taken = [...sinks].some((sink) => sink(name, chunk));
      if (!taken) return write.call(stream, chunk, encoding as BufferEncoding, callback as () => void);
      const done = typeof encoding === 'function' ? encoding : callback;
      if (typeof done === 'function') process.nextTick(done);
      return true;
    };
    stream.write = captured;
    return () => {
      if (stream.write === captured) stream.write = write;
    };
  });
  return () => {
    for (const back of restores) back();
  };
}
