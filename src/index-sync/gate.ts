import { sha256 } from '../contracts/digest.ts';
import type { IndexVerdict } from '../contracts/index-state.ts';
import type { DocumentStore } from '../ports/document-store.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import { cachedVectors, type EmbeddingPorts, vectorHash } from './embedding-cache.ts';
import { Ledger } from './ledger.ts';
import { type ChunkMaker, prepareDocument } from './prepare.ts';

/** How much a generation must show before it takes over. */
export interface GateFloors {
  /** Documents that are worked out anew. */
  readonly sample: number;
  /** The part of the sample's points that a search for their own vector must bring back. */
  readonly recall: number;
}

/** What the gate looks at. */
export interface GatePorts extends EmbeddingPorts {
  readonly documentStore: DocumentStore;
  readonly vectorIndex: VectorIndex;
}

const neighbours = 10;
const samePlace = 1e-5;

/** Whether a filled generation holds what it should: counts, a sample worked out anew from the source, and whether a search finds what is there. */
export async function judgeGeneration(
  subject: {
    readonly generation: string;
    readonly replaces: string | null;
    readonly ledger: Ledger;
    readonly maker: ChunkMaker;
    readonly floors: GateFloors;
    /** Documents, by the ledger's names, that changed since the generation was brought in step or that cannot be: what differs of them is no fault. */
    readonly unsettled: () => Promise<ReadonlySet<string>>;
  },
  ports: GatePorts,
): Promise<IndexVerdict> {
  const { generation, replaces, ledger, floors } = subject;
  const survey = await surveyLedger(ledger, generation, floors.sample);
  let stored = 0;
  for (const tenant of survey.tenants) stored += await ports.vectorIndex.count(generation, tenant);
  const documents = { expected: await ports.documentStore.count(), found: survey.documents };
  const points = { expected: survey.points, found: stored };
  const { sample, recall, wrong } = await lookUp(survey.sample, subject, ports);
  // Asked last, so that it names all that can have changed while we looked.
  const unsettled = await subject.unsettled();
  sample.wrong = wrong.filter((key) => !unsettled.has(key)).length;
  const isWhole = Math.abs(documents.expected - documents.found) <= unsettled.size;
  const reasons = [
    ...(isWhole ? [] : [`it holds ${documents.found} of ${documents.expected} documents`]),
    ...(points.expected === points.found ? [] : [`it holds ${points.found} of ${points.expected} points`]),
    ...(sample.wrong === 0 ? [] : [`${sample.wrong} of ${sample.points} points of the sample are not what the source says`]),
    ...(recall.found >= recall.asked * floors.recall
      ? []
      : [`a search finds ${recall.found} of ${recall.asked} points by their own vector, which is less than ${floors.recall * 100} %`]),
  ];
  return {
    verdict: reasons.length === 0 ? 'pass' : 'refuse',
    reasons,
    generation,
    checks: { replaces, documents, points, sample, recall: { ...recall, floor: floors.recall } },
  };
}

interface Key {
  readonly tenant: string;
  readonly id: string;
}

/** What the ledger says as a whole, and documents drawn by hash: another generation draws others, the same one the same. */
async function surveyLedger(ledger: Ledger, generation: string, size: number) {
  const tenants = new Set<string>();
  let drawn: { readonly lot: string; readonly key: Key }[] = [];
  let [documents, points] = [0, 0];
  for await (const entries of ledger.entries()) {
    for (const { tenant, document, state, points: own } of entries) {
      tenants.add(tenant);
      if (state !== 'applied') continue;
      documents += 1;
      points += own.length;
      drawn.push({ lot: sha256(`${generation} ${tenant} ${document}`), key: { tenant, id: document } });
    }
    if (drawn.length > 4 * size) drawn = smallest(drawn, size);
  }
  return { tenants, documents, points, sample: smallest(drawn, size).map(({ key }) => key) };
}

function smallest<Lot extends { readonly lot: string }>(lots: readonly Lot[], size: number): Lot[] {
  return lots.toSorted((one, other) => (one.lot < other.lot ? -1 : 1)).slice(0, size);
}

/** Works the points of some documents out anew, and looks for them by id and by vector. */
async function lookUp(
  keys: readonly Key[],
  { generation, maker }: { readonly generation: string; readonly maker: ChunkMaker },
  ports: GatePorts,
) {
  const sample = { documents: keys.length, points: 0, wrong: 0 };
  const recall = { asked: 0, found: 0 };
  /** The document of each wrong point. */
  const wrong: string[] = [];
  for (const read of await ports.documentStore.get(keys)) {
    const { points } = await prepareDocument(read, maker);
    const stored = new Map(
      (
        await ports.vectorIndex.stored(
          generation,
          points.map(({ id }) => id),
        )
      ).map((point) => [point.id, point]),
    );
    const vectors = await cachedVectors(
      points.map(({ input }) => input),
      ports,
    );
    for (const { id, input, payloadHash } of points) {
      const [found, vector] = [stored.get(id), vectors.get(input)];
      sample.points += 1;
      if (found?.payloadHash !== payloadHash || (vector && found.vectorHash !== vectorHash(vector))) wrong.push(Ledger.key(read.key));
      if (!vector || !found) continue;
      recall.asked += 1;
      const hits = await ports.vectorIndex.searchDense(generation, read.key.tenant, { vector, limit: neighbours });
      // Where many points have one vector, any of them is as good.
      if (hits.some((hit) => hit.id === id || hit.score > 1 - samePlace)) recall.found += 1;
    }
  }
  return { sample, recall, wrong };
}
