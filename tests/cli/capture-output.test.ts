import { expect, test } from 'vitest';
import { captureOutput } from '../../src/cli/capture-output.ts';

/** A sink that takes what it is about. */
function sinkOf(mark: string) {
  const taken: string[] = [];
  const sink = (_: string, chunk: string | Uint8Array): boolean => {
    if (!String(chunk).includes(mark)) return false;
    taken.push(String(chunk));
    return true;
  };
  return { taken, sink };
}

test('output goes to the sink that takes it, whichever of several ends first', () => {
  const before = process.stdout.write;
  const [first, second] = [sinkOf('run a'), sinkOf('run b')];
  const [endFirst, endSecond] = [captureOutput(first.sink), captureOutput(second.sink)];
  process.stdout.write('of run a');
  process.stderr.write('of run b');
  endFirst();
  process.stdout.write('of run b again');
  endSecond();
  endSecond();
  expect(first.taken).toEqual(['of run a']);
  expect(second.taken).toEqual(['of run b', 'of run b again']);
  expect(process.stdout.write).toBe(before);
});
