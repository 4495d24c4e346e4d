import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openQdrantVectorIndex, type QdrantVectorIndexOptions } from '../../../src/adapters/vector-index/qdrant.ts';
import { type Problem, ProblemError } from '../../../src/contracts/problem.ts';
import type { VectorIndex } from '../../../src/ports/vector-index.ts';
import { examplePoint } from '../../conformance/vector-index.ts';
import { startQdrant } from '../../support/services/qdrant.ts';
import { qdrantEngine } from '../../support/services/qdrant-servers.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const engine = await qdrantEngine();
const upserts = 'POST /collections/g/points/batch';

async function problemOf(call: Promise<unknown>): Promise<Problem> {
  const error = await call.then(
    () => expect.unreachable('it was no problem'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof ProblemError) return error.problem;
  throw error;
}

function open(url: string, options: Partial<QdrantVectorIndexOptions> = {}): VectorIndex {
  return openQdrantVectorIndex({ url, firstPauseMs: 5, ...options });
}

describe.skipIf(engine === null)('Qdrant that fails', () => {
  const { url, shim, empty } = engine ?? { url: '', shim: null, empty: async () => {} };
  const faults = (...given: Parameters<NonNullable<typeof shim>['faults']>[0]) => shim!.faults(given);
  let index: VectorIndex;
  beforeEach(async () => {
    await empty();
    index = open(url);
    await index.ensure('g', 3);
  });
  const three = [0, 1, 2].map((n) => examplePoint('a', n, [1, n, 0]));

  test.for([
    ['fails', { status: 500, times: 2 }],
    ['is overloaded and says when to come back', { status: 429, times: 2, headers: { 'retry-after': '0' } }],
    ['closes the connection before it does anything', { drop: 'before', times: 2 }],
    ['closes the connection after it has done all', { drop: 'after', times: 2 }],
    ['says that it will write later', { result: { status: 'acknowledged' }, times: 2 }],
    ['gives up waiting for its own write', { result: { status: 'wait_timeout' }, times: 1 }],
  ] as const)('a write is made again when the server %s', async ([, fault]) => {
    await faults({ match: upserts, ...fault });
    await index.upsert('g', 'default', three);
    expect((await index.scroll('g', '', 9)).map(({ id }) => id)).toEqual(three.map(({ id }) => id).toSorted());
  });

  test('a write whose points are not all there afterwards is made again', async () => {
    await faults({ match: 'POST /collections/g/points/count', times: 1, result: { count: 2 } });
    await index.upsert('g', 'default', three);
    expect(await index.count('g', 'default')).toBe(3);
  });

  test('a write that takes too long is made again, and an older one that was held up changes nothing when it arrives', async () => {
    const slow = open(url, { timeoutMs: 300 });
    await faults({ match: upserts, times: 1, delayMs: 1000 });
    await slow.upsert('g', 'default', three);
    await index.upsert('g', 'default', [examplePoint('a', 0, [1, 0, 0], { version: 2, text: 'newer' })]);
    // The shim works on the held-up call still.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect((await index.searchDense('g', 'default', { vector: Float32Array.of(1, 0, 0), limit: 1 }))[0]!.payload.text).toBe('newer');
  });

  test('a write outlives a kill of the server', async () => {
    const own = await startQdrant(await temporaryFolder());
    onTestFinished(() => own.stop());
    const outliving = open(own.url);
    await outliving.ensure('g', 3);
    await outliving.upsert('g', 'default', three.slice(0, 1));
    await own.kill('SIGKILL');
    const writing = outliving.upsert('g', 'default', three.slice(1));
    await own.start();
    await writing;
    expect(await outliving.count('g', 'default')).toBe(3);
  });

  test('a server that is not there is said to be away, without the key', async () => {
    const away = open('http://127.0.0.1:9', { readPatienceMs: 20, apiKey: async () => 's3cret' });
    const { found, ...problem } = await problemOf(away.alias('documents'));
    expect(problem).toEqual({
      reason: 'qdrant-unreachable',
      message: 'Qdrant at http://127.0.0.1:9 does not answer, tried for 0 s',
      where: 'vectorIndex.url',
      hint: 'Start the server or correct the address, then run it again: nothing is lost.',
      exit: 1,
    });
    expect(found).not.toContain('s3cret');
  });

  test('a server that keeps failing is told with what it says', async () => {
    const brief = open(url, { writePatienceMs: 20, apiKey: async () => 's3cret' });
    await faults({ match: upserts, times: 99, status: 503, message: 'no space left for s3cret' });
    expect(await problemOf(brief.upsert('g', 'default', three))).toMatchObject({
      reason: 'qdrant-unavailable',
      message: expect.stringMatching(/keeps failing \(503\)/),
      found: 'no space left for (secret)',
    });
  });

  test('what the server refuses is not tried again', async () => {
    await faults({ match: upserts, times: 1, status: 422, message: 'Validation error in JSON body' });
    expect(await problemOf(index.upsert('g', 'default', three))).toEqual({
      reason: 'qdrant-refused',
      message: `Qdrant at ${url} refused a call (422)`,
      found: 'Validation error in JSON body',
      hint: 'Look at the log of the server.',
      exit: 1,
    });
  });

  test('a wrong key is a mistake of the configuration', async () => {
    const own = await startQdrant(await temporaryFolder(), { QDRANT_API_KEY: 'right' });
    onTestFinished(() => own.stop());
    expect(await problemOf(open(own.url, { apiKey: async () => 'wrong' }).alias('documents'))).toEqual({
      reason: 'qdrant-unauthorized',
      message: `Qdrant at ${own.url} does not let us in`,
      where: 'vectorIndex.apiKey',
      expected: 'a key that may read and write collections',
      found: 'Must provide an API key or an Authorization bearer token',
      hint: 'Put a valid key where vectorIndex.apiKey says that it is.',
      exit: 2,
    });
    expect(await open(own.url, { apiKey: async () => 'right' }).alias('documents')).toBeNull();
  });

  test('a generation that was removed behind our back is told', async () => {
    await fetch(`${url}/collections/g`, { method: 'DELETE' });
    expect((await problemOf(index.upsert('g', 'default', three))).reason).toBe('index-unknown-generation');
  });

  test('a vector that was changed behind our back is seen', async () => {
    await index.upsert('g', 'default', three);
    const [point] = await index.scroll('g', '', 1);
    const { result } = (await (await call('POST', 'g/points', { ids: [point!.id], with_vector: true })).json()) as {
      result: [{ vector: Record<string, unknown>; payload: unknown }];
    };
    const changed = { id: point!.id, vector: { ...result[0].vector, dense: [0, 0, 1] }, payload: result[0].payload };
    await call('PUT', 'g/points?wait=true', { points: [changed] });
    const [again] = await index.scroll('g', '', 1);
    expect(again).toEqual({ ...point, vectorHash: expect.not.stringMatching(point!.vectorHash) });
  });

  test('two writers that make the same generation at once both succeed', async () => {
    await Promise.all([index.ensure('h', 3), open(url).ensure('h', 3)]);
    expect(await index.count('h', 'default')).toBe(0);
  });

  function call(method: string, path: string, body: unknown): Promise<Response> {
    return fetch(`${url}/collections/${path}`, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  }

  test('a collection under the name of an index is not replaced', async () => {
    await call('PUT', 'documents', { vectors: { dense: { size: 3, distance: 'Dot' } } });
    expect(await problemOf(index.moveAlias('documents', null, 'g'))).toEqual({
      reason: 'alias-is-collection',
      message: 'The index documents cannot be published under its name',
      where: 'documents',
      expected: 'no collection of that name, as it is to be an alias',
      found: 'a collection',
      hint: 'Rename or remove the collection documents, or give the index another name (index: … in the configuration).',
      exit: 2,
    });
  });

  test('a collection that somebody else made is left alone', async () => {
    await call('PUT', 'theirs', { vectors: { image: { size: 3, distance: 'Cosine' } } });
    expect(await problemOf(index.ensure('theirs', 3))).toMatchObject({ reason: 'index-foreign', exit: 2, where: 'theirs' });
  });

  test('an index that is missing is named, and made again', async () => {
    const strict = { enabled: true, unindexed_filtering_retrieve: false, unindexed_filtering_update: false };
    const sparse_vectors = { sparse: { modifier: 'idf' } };
    await call('PUT', 'bare', { vectors: { dense: { size: 3, distance: 'Dot' } }, sparse_vectors, strict_mode_config: strict });
    expect(await problemOf(index.count('bare', 'default'))).toMatchObject({
      reason: 'qdrant-without-index',
      found: expect.stringContaining('"tenant"'),
      hint: 'Make it again: twin run feature-pipeline --force sync-index',
    });
    await index.ensure('bare', 3);
    await index.upsert('bare', 'default', three);
    expect(await index.count('bare', 'default')).toBe(3);
  });
});
