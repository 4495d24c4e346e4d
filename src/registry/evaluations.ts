import type { EvaluationRecord } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

const streamOf = (model: string): string => `evaluation/${model}`;

/** Everything that evaluations concluded about the versions of a model, oldest first. */
export async function listEvaluations(store: MetadataStore, model: string): Promise<readonly EvaluationRecord[]> {
  return (await store.read(streamOf(model), 0)).map((record) => record.data as unknown as EvaluationRecord);
}

/** Keeps what an evaluation concluded, on disk before it returns; the same conclusion is kept once. */
export async function recordEvaluation(store: MetadataStore, model: string, evaluation: Omit<EvaluationRecord, 'when'>): Promise<void> {
  for (;;) {
    const known = await listEvaluations(store, model);
    const { candidate, report, alias, incumbent } = evaluation;
    const isIt = (each: EvaluationRecord): boolean =>
      each.candidate === candidate && each.report === report && each.alias === alias && each.incumbent === incumbent;
    // The newest says what holds: a conclusion that another one has followed is said again.
    const newest = known.findLast((each) => each.candidate === candidate && each.alias === alias);
    if (newest && isIt(newest)) return;
    const when = new Date(await store.now()).toISOString();
    if ((await store.append(streamOf(model), known.length, [{ ...evaluation, when }], 'power')).ok) return;
  }
}
